import { type Files, hasCode } from "@karst/runtime";
import assert from "node:assert/strict";

/** Declares one test: vitest's or `node:test`'s `test`. */
export type Declare = (title: string, body: () => void | Promise<void>) => void;

export interface FilesUnderTest {
  readonly files: Files;
  /** An existing, empty directory. */
  readonly root: string;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const code = (expected: string) => (error: unknown) => hasCode(error, expected);

/** What every implementation of `Files` does, whatever is below it. */
export function filesSuite(options: {
  readonly name: string;
  readonly declare: Declare;
  readonly create: () => Promise<FilesUnderTest>;
}): void {
  const { name, declare, create } = options;
  const check = (title: string, body: (fixture: FilesUnderTest) => Promise<void>): void => {
    declare(`${name}: ${title}`, async () => body(await create()));
  };

  const put = async (files: Files, path: string, content: Uint8Array): Promise<void> => {
    const file = await files.open(path, "create");
    await file.write(content, 0);
    await file.close();
  };

  const get = async (files: Files, path: string): Promise<Uint8Array> => {
    const file = await files.open(path, "read");
    const into = new Uint8Array(await file.size());
    assert.equal(await file.read(into, 0), into.length);
    await file.close();
    return into;
  };

  check(
    "what was written is read, and a read ends at the end of the file",
    async ({ files, root }) => {
      const file = await files.open(`${root}/a`, "create");
      await file.write(bytes(1, 2, 3, 4, 5), 0);
      await file.datasync();
      const into = new Uint8Array(10);
      assert.equal(await file.read(into, 2), 3);
      assert.deepEqual(into, bytes(3, 4, 5, 0, 0, 0, 0, 0, 0, 0));
      assert.equal(await file.read(into, 5), 0);
      assert.equal(await file.read(into, 500), 0);
      assert.equal(await file.size(), 5);
      await file.close();
    },
  );

  check("a write far beyond the end leaves zeros between", async ({ files, root }) => {
    const file = await files.open(`${root}/a`, "create");
    await file.write(bytes(7), 3000);
    assert.equal(await file.size(), 3001);
    const into = new Uint8Array(3001).fill(9);
    assert.equal(await file.read(into, 0), 3001);
    assert.deepEqual(into.subarray(0, 3000), new Uint8Array(3000));
    assert.equal(into[3000], 7);
    await file.close();
  });

  check("large and overlapping writes, also at the same time", async ({ files, root }) => {
    const file = await files.open(`${root}/a`, "write");
    const block = new Uint8Array(1_000_000).map((_, i) => i % 251);
    await Promise.all([
      file.write(block, 0),
      file.write(block, 1_000_000),
      file.write(block, 2_000_000),
    ]);
    await file.write(bytes(1, 1, 1), 999_999);
    const into = new Uint8Array(3_000_000);
    assert.equal(await file.read(into, 0), 3_000_000);
    assert.deepEqual(into.subarray(999_999, 1_000_002), bytes(1, 1, 1));
    assert.deepEqual(into.subarray(2_000_000), block);
    await file.close();
  });

  check("shared memory is written and read into, views included", async ({ files, root }) => {
    const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(5).subarray(8, 40);
    const file = await files.open(`${root}/a`, "create");
    await file.write(shared, 0);
    shared.fill(0);
    assert.equal(await file.read(shared, 0), 32);
    assert.deepEqual(
      [...shared],
      Array.from({ length: 32 }, () => 5),
    );
    await file.close();
  });

  check("writing and reading nothing is fine", async ({ files, root }) => {
    const file = await files.open(`${root}/a`, "create");
    await file.write(new Uint8Array(0), 100);
    assert.equal(await file.size(), 0);
    assert.equal(await file.read(new Uint8Array(0), 0), 0);
    await file.close();
  });

  check("a position is an integer from 0", async ({ files, root }) => {
    const file = await files.open(`${root}/a`, "create");
    for (const position of [-1, 0.5, Number.NaN, 2 ** 53]) {
      await assert.rejects(file.write(bytes(1), position), TypeError);
      await assert.rejects(file.read(new Uint8Array(1), position), TypeError);
    }
    assert.equal(await file.size(), 0);
    await file.close();
  });

  check(
    "modes: create refuses what exists, read what is missing, write keeps what is there",
    async ({ files, root }) => {
      const path = `${root}/a`;
      await assert.rejects(files.open(path, "read"), code("FILE_NOT_FOUND"));
      await put(files, path, bytes(1, 2, 3));
      await assert.rejects(files.open(path, "create"), code("FILE_EXISTS"));
      const file = await files.open(path, "write");
      await file.write(bytes(9), 1);
      await file.close();
      assert.deepEqual(await get(files, path), bytes(1, 9, 3));
      await assert.rejects(files.open(`${root}/none/a`, "create"), code("FILE_NOT_FOUND"));
      await assert.rejects(files.open(`${path}/b`, "create"), code("IO_ERROR"));
    },
  );

  check("a file opened for reading cannot be written", async ({ files, root }) => {
    await put(files, `${root}/a`, bytes(1));
    const file = await files.open(`${root}/a`, "read");
    await assert.rejects(file.write(bytes(2), 0), code("IO_ERROR"));
    await file.close();
    assert.deepEqual(await get(files, `${root}/a`), bytes(1));
  });

  check("a directory is not a file", async ({ files, root }) => {
    await files.makeDirectory(`${root}/d`);
    await assert.rejects(files.open(`${root}/d`, "write"), code("IO_ERROR"));
    await assert.rejects(files.open(`${root}/d`, "create"), code("FILE_EXISTS"));
    await assert.rejects(files.remove(`${root}/d`), code("IO_ERROR"));
    await put(files, `${root}/a`, bytes());
    await assert.rejects(files.list(`${root}/a`), code("IO_ERROR"));
    await assert.rejects(files.removeDirectory(`${root}/a`), code("IO_ERROR"));
    await assert.rejects(files.syncDirectory(`${root}/a`), code("IO_ERROR"));
  });

  check("after close everything fails, and closing again does nothing", async ({ files, root }) => {
    const file = await files.open(`${root}/a`, "create");
    const last = file.write(bytes(1, 2), 0);
    const closed = file.close();
    await assert.rejects(file.write(bytes(3), 0), code("IO_ERROR"));
    await Promise.all([last, closed]);
    await assert.rejects(file.read(new Uint8Array(1), 0), code("IO_ERROR"));
    await assert.rejects(file.datasync(), code("IO_ERROR"));
    await assert.rejects(file.size(), code("IO_ERROR"));
    await file.close();
    assert.deepEqual(await get(files, `${root}/a`), bytes(1, 2));
  });

  check("a removed file lives on while it is open", async ({ files, root }) => {
    const file = await files.open(`${root}/a`, "create");
    await file.write(bytes(4), 0);
    await files.remove(`${root}/a`);
    assert.equal(await files.stat(`${root}/a`), undefined);
    await file.write(bytes(5), 1);
    const into = new Uint8Array(2);
    assert.equal(await file.read(into, 0), 2);
    assert.deepEqual(into, bytes(4, 5));
    await file.close();
  });

  check("list is sorted and says what things are", async ({ files, root }) => {
    assert.deepEqual(await files.list(root), []);
    for (const name of ["b", "a", "Z", "é", "10", "9"])
      await put(files, `${root}/${name}`, bytes());
    await files.makeDirectory(`${root}/m`);
    assert.deepEqual(await files.list(root), [
      { name: "10", kind: "file" },
      { name: "9", kind: "file" },
      { name: "Z", kind: "file" },
      { name: "a", kind: "file" },
      { name: "b", kind: "file" },
      { name: "m", kind: "directory" },
      { name: "é", kind: "file" },
    ]);
    await assert.rejects(files.list(`${root}/none`), code("FILE_NOT_FOUND"));
  });

  check("stat", async ({ files, root }) => {
    await put(files, `${root}/a`, bytes(1, 2, 3));
    const file = await files.stat(`${root}/a`);
    assert.equal(file?.kind, "file");
    assert.equal(file?.bytes, 3);
    assert.ok((file?.modifiedMs ?? 0) > 1_600_000_000_000);
    assert.equal((await files.stat(root))?.kind, "directory");
    assert.equal(await files.stat(`${root}/none`), undefined);
    assert.equal(await files.stat(`${root}/none/deeper`), undefined);
    await assert.rejects(files.stat(`${root}/a/b`), code("IO_ERROR"));
  });

  check("makeDirectory makes parents, and again is fine", async ({ files, root }) => {
    await files.makeDirectory(`${root}/x/y/z`);
    await files.makeDirectory(`${root}/x/y/z`);
    await files.makeDirectory(`${root}/x/./y/../w`);
    assert.deepEqual(
      (await files.list(`${root}/x`)).map((entry) => entry.name),
      ["w", "y"],
    );
    await put(files, `${root}/a`, bytes());
    await assert.rejects(files.makeDirectory(`${root}/a`), code("FILE_EXISTS"));
    await assert.rejects(files.makeDirectory(`${root}/a/b`), code("IO_ERROR"));
  });

  check("rename replaces", async ({ files, root }) => {
    await put(files, `${root}/a`, bytes(1));
    await put(files, `${root}/b`, bytes(2));
    await files.rename(`${root}/a`, `${root}/b`);
    assert.deepEqual(await get(files, `${root}/b`), bytes(1));
    assert.equal(await files.stat(`${root}/a`), undefined);
    await files.rename(`${root}/b`, `${root}/b`);
    assert.deepEqual(await get(files, `${root}/b`), bytes(1));
    await assert.rejects(files.rename(`${root}/a`, `${root}/c`), code("FILE_NOT_FOUND"));
    await assert.rejects(files.rename(`${root}/b`, `${root}/none/c`), code("FILE_NOT_FOUND"));
    await files.makeDirectory(`${root}/d`);
    await assert.rejects(files.rename(`${root}/b`, `${root}/d`), code("IO_ERROR"));
    await files.rename(`${root}/b`, `${root}/d/b`);
    assert.deepEqual(await get(files, `${root}/d/b`), bytes(1));
  });

  check(
    "directories are renamed with their content, onto empty ones only",
    async ({ files, root }) => {
      await files.makeDirectory(`${root}/d/e`);
      await put(files, `${root}/d/e/a`, bytes(1));
      await files.makeDirectory(`${root}/full/x`);
      await files.makeDirectory(`${root}/empty`);
      await put(files, `${root}/file`, bytes());
      await assert.rejects(files.rename(`${root}/d`, `${root}/full`), code("IO_ERROR"));
      await assert.rejects(files.rename(`${root}/d`, `${root}/file`), code("IO_ERROR"));
      await assert.rejects(files.rename(`${root}/d`, `${root}/d/e/f`), code("IO_ERROR"));
      await files.rename(`${root}/d`, `${root}/empty`);
      assert.deepEqual(await get(files, `${root}/empty/e/a`), bytes(1));
    },
  );

  check("link gives a second name, and never replaces", async ({ files, root }) => {
    await put(files, `${root}/a`, bytes(1, 2));
    await files.link(`${root}/a`, `${root}/b`);
    await files.remove(`${root}/a`);
    assert.deepEqual(await get(files, `${root}/b`), bytes(1, 2));
    await put(files, `${root}/c`, bytes(3));
    await assert.rejects(files.link(`${root}/c`, `${root}/b`), code("FILE_EXISTS"));
    await assert.rejects(files.link(`${root}/none`, `${root}/d`), code("FILE_NOT_FOUND"));
    await assert.rejects(files.link(`${root}/c`, `${root}/none/d`), code("FILE_NOT_FOUND"));
    await files.makeDirectory(`${root}/dir`);
    await assert.rejects(files.link(`${root}/dir`, `${root}/dir2`), code("IO_ERROR"));
    assert.deepEqual(await get(files, `${root}/b`), bytes(1, 2));
  });

  check("remove and removeDirectory", async ({ files, root }) => {
    await files.makeDirectory(`${root}/d`);
    await put(files, `${root}/d/a`, bytes(1));
    await assert.rejects(files.removeDirectory(`${root}/d`), code("IO_ERROR"));
    await files.remove(`${root}/d/a`);
    await assert.rejects(files.remove(`${root}/d/a`), code("FILE_NOT_FOUND"));
    await files.removeDirectory(`${root}/d`);
    await assert.rejects(files.removeDirectory(`${root}/d`), code("FILE_NOT_FOUND"));
    assert.deepEqual(await files.list(root), []);
  });

  check("syncDirectory", async ({ files, root }) => {
    await put(files, `${root}/a`, bytes(1));
    await files.syncDirectory(root);
    await assert.rejects(files.syncDirectory(`${root}/none`), code("FILE_NOT_FOUND"));
  });

  check(
    "errors name the operation and the path, and keep the system's as their cause",
    async ({ files, root }) => {
      await assert.rejects(
        files.open(`${root}/none`, "read"),
        (error: Error & { cause: { code: string } }) => {
          assert.match(
            error.message,
            /^cannot open .*\/none: no such file or directory \(ENOENT\)$/,
          );
          assert.equal(error.cause.code, "ENOENT");
          return true;
        },
      );
    },
  );
}
