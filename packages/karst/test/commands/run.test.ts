import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "vitest";
import { runCommand } from "../../src/commands/run.ts";

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command that ends by itself. */
async function run(
  line: string,
  stopped: Promise<string> = new Promise(() => undefined),
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommand(
    line.split(" ").filter((word) => word !== ""),
    "1.2.3",
    { out: (text) => out.push(text), err: (text) => err.push(text), stopped },
  );
  return { code, out: out.join("\n"), err: err.join("\n") };
}

test("help and version", async () => {
  for (const line of ["--help", "help", "-h"]) {
    const { code, out } = await run(line);
    assert.equal(code, 0);
    assert.match(out, /karst COMMAND/);
  }
  assert.deepEqual(await run("--version"), { code: 0, out: "1.2.3", err: "" });
  assert.deepEqual(await run("serve --version"), { code: 0, out: "1.2.3", err: "" });
  assert.equal((await run("")).code, 2);
  const { code, out } = await run("serve --help");
  assert.equal(code, 0);
  for (const option of [
    "--port",
    "--data",
    "--root",
    "--wal",
    "--abandon-wal",
    "--limit",
    "--group-initial-rebalance-delay-ms",
    "--log",
  ]) {
    assert.ok(out.includes(option), option);
  }
});

test("wrong calls say what is wrong and end with 2, failures with 1", async () => {
  assert.deepEqual(await run("serv"), {
    code: 2,
    out: "",
    err: "karst: unknown command serv; did you mean serve? (INVALID_OPTIONS)",
  });
  assert.equal((await run("serve --prot 1")).code, 2);
  assert.equal((await run("serve --root nowhere:x")).code, 2);
  const { code, err } = await run("serve --root memory: --host 203.0.113.1 --log error");
  assert.equal(code, 1);
  assert.match(err, /^karst: /);
});

test("serve listens, says where, and stops with 0 when asked", async () => {
  let stop: (signal: string) => void = () => undefined;
  const stopped = new Promise<string>((resolve) => {
    stop = resolve;
  });
  const lines: string[] = [];
  let listening: (port: number) => void = () => undefined;
  const port = new Promise<number>((resolve) => {
    listening = resolve;
  });
  const code = runCommand(
    ["serve", "--port", "0", "--root", "memory:", "--log", "error"],
    "1.2.3",
    {
      out: (line) => {
        lines.push(line);
        const found = /listens on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (found !== undefined) listening(Number(found));
      },
      err: (line) => lines.push(line),
      stopped,
    },
  );
  const socket = connect(await port, "127.0.0.1");
  await once(socket, "connect");
  const closed = once(socket, "close");
  stop("SIGTERM");
  assert.equal(await code, 0);
  await closed;
  const text = lines.join("\n");
  assert.match(text, /root {2}memory:/);
  assert.match(text, /WAL {3}memory/);
  assert.match(text, /kcat -b 127\.0\.0\.1:\d+ -t greetings -P/);
});
