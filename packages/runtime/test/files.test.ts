import { hasCode, isKarstError } from "@karst/runtime";
import { nodeBlockingFiles, nodeFiles } from "@karst/runtime/node";
import { ManualClock, SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, test } from "vitest";
import { blockingFilesSuite } from "./blocking-files.suite.ts";
import { filesSuite } from "./files.suite.ts";

const parent = mkdtempSync(join(tmpdir(), "karst-files-"));
afterAll(() => rmSync(parent, { recursive: true, force: true }));
const freshRoot = (): string => mkdtempSync(join(parent, "case-"));

const simulatedDisk = (): SimulatedDisk =>
  new SimulatedDisk({ random: new SeededRandom(1), clock: new ManualClock() });

filesSuite({
  name: "node",
  declare: test,
  create: () => Promise.resolve({ files: nodeFiles, root: freshRoot() }),
});
filesSuite({
  name: "simulated",
  declare: test,
  create: async () => {
    const { files } = simulatedDisk();
    await files.makeDirectory("/some/root");
    return { files, root: "/some/root" };
  },
});
blockingFilesSuite({
  name: "node blocking",
  declare: test,
  create: () => ({ files: nodeBlockingFiles, root: freshRoot() }),
});
blockingFilesSuite({
  name: "simulated blocking",
  declare: test,
  create: () => {
    const { blocking } = simulatedDisk();
    blocking.makeDirectory("/some/root");
    return { files: blocking, root: "/some/root" };
  },
});

test("node: files and directories are for their owner alone", async () => {
  const root = freshRoot();
  await nodeFiles.makeDirectory(`${root}/a/b`);
  await (await nodeFiles.open(`${root}/a/b/c`, "create")).close();
  nodeBlockingFiles.makeDirectory(`${root}/d`);
  nodeBlockingFiles.open(`${root}/d/e`, "write").close();
  const mode = (path: string): number => statSync(`${root}/${path}`).mode & 0o777;
  assert.deepEqual(["a", "a/b", "d"].map(mode), [0o700, 0o700, 0o700]);
  assert.deepEqual(["a/b/c", "d/e"].map(mode), [0o600, 0o600]);
});

test("node: where no directory can be made, that is said", async () => {
  // A file system that knows all its names, where there is one.
  for (const path of ["/proc/none/such"].filter(() => existsSync("/proc/self"))) {
    await assert.rejects(nodeFiles.makeDirectory(path), { name: "KarstError" });
    assert.throws(() => nodeBlockingFiles.makeDirectory(path), { name: "KarstError" });
  }
});

test("node: a full disk is NO_SPACE", async () => {
  // A device that is always full, where there is one.
  for (const path of ["/dev/full"].filter((device) => existsSync(device))) {
    const isFull = (error: unknown): boolean =>
      hasCode(error, "NO_SPACE") && isKarstError(error, "unavailable");
    const file = await nodeFiles.open(path, "write");
    await assert.rejects(file.write(new Uint8Array(10), 0), isFull);
    await file.close();
    const blocking = nodeBlockingFiles.open(path, "write");
    assert.throws(() => blocking.write(new Uint8Array(10), 0, 10, 0), isFull);
    blocking.close();
  }
});

test("node: a symbolic link is not followed, and listed as other", async () => {
  const root = freshRoot();
  writeFileSync(`${root}/target`, "secret");
  symlinkSync(`${root}/target`, `${root}/link`);
  symlinkSync(`${root}/nowhere`, `${root}/dangling`);
  const isRefusal = (error: unknown): boolean =>
    hasCode(error, "IO_ERROR") && /symbolic link, which is not followed/.test(error.message);
  for (const mode of ["read", "write"] as const) {
    await assert.rejects(nodeFiles.open(`${root}/link`, mode), isRefusal);
    await assert.rejects(nodeFiles.open(`${root}/dangling`, mode), isRefusal);
    assert.throws(() => nodeBlockingFiles.open(`${root}/link`, mode), isRefusal);
  }
  await assert.rejects(nodeFiles.open(`${root}/dangling`, "create"), (error) =>
    hasCode(error, "FILE_EXISTS"),
  );
  assert.equal((await nodeFiles.stat(`${root}/link`))?.kind, "other");
  assert.deepEqual(
    (await nodeFiles.list(root)).map((entry) => entry.kind),
    ["other", "other", "file"],
  );
});
