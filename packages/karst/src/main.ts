#!/usr/bin/env node
import { createRequire } from "node:module";
import { nodeClock } from "@karst/runtime/node";
import { runCommand } from "./commands/run.ts";

/**
 * A terminal sends SIGINT to npm and to us, and npm sends us its own: one Ctrl-C is two signals. From this long after the first,
 * another one ends the process at once.
 */
const IMPATIENCE_MS = 1_000;

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

const { version } = createRequire(import.meta.url)("../package.json") as {
  readonly version: string;
};

function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const [signal, exitCode] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        const nowMs = nodeClock.monotonicMs();
        firstMs ??= nowMs;
        if (nowMs - firstMs >= IMPATIENCE_MS) process.exit(exitCode);
        resolve(signal);
      });
    }
  });
}

process.exitCode = await runCommand(process.argv.slice(2), version, {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  stopped: firstSignal(),
});
