import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LEDGER } from "./ledger.ts";

/** Writes docs/results/<part>.json: what ran, where, and what came of it. */
export function writeResult(part: string, result: Readonly<Record<string, unknown>>): void {
  const folder = join(dirname(LEDGER), "results");
  mkdirSync(folder, { recursive: true });
  const commit = execFileSync("git", ["rev-parse", "HEAD"], {
    cwd: folder,
    encoding: "utf8",
  }).trim();
  const { version, platform, arch } = process;
  const command = `npm run verify -- ${part} ${process.argv.slice(2).join(" ")}`.trim();
  const head = { part, commit, command, node: version, platform, arch };
  writeFileSync(
    join(folder, `${part}.json`),
    `${JSON.stringify({ ...head, ...result }, undefined, 2)}\n`,
  );
}
