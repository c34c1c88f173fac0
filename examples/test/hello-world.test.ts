import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished, test } from "vitest";

/** Runs the compiled example in `cwd`. */
function hello(cwd: string): string {
  const script = fileURLToPath(new URL("../dist/hello-world.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    cwd,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

test("hello world runs, and finds its record again", () => {
  const cwd = mkdtempSync(join(tmpdir(), "karst-hello-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  assert.equal(hello(cwd), "durable at offset 0 of partition 0\n0 hello\n");
  assert.ok(existsSync(join(cwd, "karst-data", "objects")));
  assert.equal(hello(cwd), "durable at offset 1 of partition 0\n0 hello\n1 hello\n");
});
