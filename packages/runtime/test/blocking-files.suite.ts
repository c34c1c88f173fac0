import { type BlockingFiles, hasCode } from "@karst/runtime";
import assert from "node:assert/strict";

/** Declares one test: vitest's or `node:test`'s `test`. */
export type Declare = (title: string, body: () => void | Promise<void>) => void;

export interface BlockingFilesUnderTest {
  readonly files: BlockingFiles;
  /** An existing, empty directory. */
  readonly root: string;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const code = (expected: string) => (error: unknown) => hasCode(error, expected);

/** What every implementation of `BlockingFiles` does. */
export function blockingFilesSuite(options: {
  readonly name: string;
  readonly declare: Declare;
  readonly create: () => BlockingFilesUnderTest;
}): void {
  const { name, declare, create } = options;
  const check = (title: string, body: (fixture: BlockingFilesUnderTest) => void): void => {
    declare(`${name}: ${title}`, () => body(create()));
  };

  check("what was written is read", ({ files, root }) => {
    const file = files.open(`${root}/a`, "create");
    assert.equal(file.write(bytes(0, 1, 2, 3, 0), 1, 3, 10), 3);
    file.datasync();
    assert.equal(file.size(), 13);
    const into = new Uint8Array(6).fill(9);
    assert.equal(file.read(into, 1, 4, 9), 4);
    assert.deepEqual(into, bytes(9, 0, 1, 2, 3, 9));
    assert.equal(file.read(into, 0, 6, 12), 1);
    assert.equal(file.read(into, 0, 6, 13), 0);
    file.close();
  });

  check("shared memory is written and read into", ({ files, root }) => {
    const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(5);
    const file = files.open(`${root}/a`, "create");
    assert.equal(file.write(shared, 0, 64, 0), 64);
    shared.fill(0);
    assert.equal(file.read(shared, 32, 32, 0), 32);
    assert.deepEqual(
      [...shared],
      [...Array.from({ length: 32 }, () => 0), ...Array.from({ length: 32 }, () => 5)],
    );
    file.close();
  });

  check("positions and ranges are checked", ({ files, root }) => {
    const file = files.open(`${root}/a`, "create");
    assert.throws(() => file.write(bytes(1), 0, 1, -1), TypeError);
    assert.throws(() => file.read(bytes(1), 0, 1, Number.NaN), TypeError);
    assert.throws(() => file.write(bytes(1), 0, 2, 0), RangeError);
    assert.throws(() => file.read(bytes(1), 1, 1, 0), RangeError);
    assert.equal(file.size(), 0);
    file.close();
  });

  check("modes and errors are those of the asynchronous files", ({ files, root }) => {
    assert.throws(() => files.open(`${root}/a`, "read"), code("FILE_NOT_FOUND"));
    const file = files.open(`${root}/a`, "create");
    file.write(bytes(1, 2, 3), 0, 3, 0);
    assert.throws(() => files.open(`${root}/a`, "create"), code("FILE_EXISTS"));
    file.close();
    file.close();
    assert.throws(() => file.size(), code("IO_ERROR"));
    assert.throws(() => file.datasync(), code("IO_ERROR"));
    assert.throws(() => file.write(bytes(1), 0, 1, 0), code("IO_ERROR"));
    const reader = files.open(`${root}/a`, "read");
    assert.throws(() => reader.write(bytes(1), 0, 1, 0), code("IO_ERROR"));
    reader.close();
    const writer = files.open(`${root}/a`, "write");
    writer.write(bytes(9), 0, 1, 1);
    const into = new Uint8Array(3);
    assert.equal(writer.read(into, 0, 3, 0), 3);
    assert.deepEqual(into, bytes(1, 9, 3));
    writer.close();
  });

  check("directories and names", ({ files, root }) => {
    files.makeDirectory(`${root}/x/y`);
    files.makeDirectory(`${root}/x/y`);
    files.open(`${root}/x/b`, "create").close();
    files.open(`${root}/x/a`, "create").close();
    assert.deepEqual(files.list(`${root}/x`), [
      { name: "a", kind: "file" },
      { name: "b", kind: "file" },
      { name: "y", kind: "directory" },
    ]);
    files.rename(`${root}/x/a`, `${root}/x/b`);
    files.syncDirectory(`${root}/x`);
    files.remove(`${root}/x/b`);
    assert.throws(() => files.remove(`${root}/x/b`), code("FILE_NOT_FOUND"));
    assert.throws(() => files.list(`${root}/none`), code("FILE_NOT_FOUND"));
    assert.throws(() => files.rename(`${root}/none`, `${root}/x/c`), code("FILE_NOT_FOUND"));
    assert.throws(() => files.syncDirectory(`${root}/none`), code("FILE_NOT_FOUND"));
    assert.throws(() => files.remove(`${root}/x`), code("IO_ERROR"));
  });
}
