import fs from "node:fs";
import { runtimeError } from "../errors.ts";
import { checkPosition, fileError } from "../file-errors.ts";
import type { FileHandle, Files } from "../files.ts";
import { HandleGate } from "../handle-gate.ts";
import { directorySyncs, entriesOf, FILE_MODE, kindOf, openFlags } from "./file-modes.ts";
import { makeDirectory } from "./make-directory.ts";

type Done = (error: NodeJS.ErrnoException | null) => void;
type DoneWith<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

/** Files of the process, over the callback API (10–20 µs less per operation than `fs.promises`). */
export const nodeFiles: Files = {
  async open(path, mode) {
    const fd = await call<number>("open", path, (done) =>
      fs.open(path, openFlags(mode), FILE_MODE, done),
    );
    return new NodeFile(fd, path);
  },

  async list(path) {
    return entriesOf(
      await call<fs.Dirent[]>("list", path, (done) =>
        fs.readdir(path, { withFileTypes: true }, done),
      ),
    );
  },

  async stat(path) {
    const stats = await call<fs.Stats | undefined>("stat", path, (done) =>
      fs.lstat(path, (error, value) =>
        error?.code === "ENOENT" ? done(null, undefined) : done(error, value),
      ),
    );
    if (stats === undefined) return undefined;
    return { kind: kindOf(stats), bytes: stats.size, modifiedMs: stats.mtimeMs };
  },

  makeDirectory: (path) =>
    run("make directory", path, (done) => {
      makeDirectory(path).then(() => done(null), done);
    }),

  rename: (from, to) => run("rename", `${from} to ${to}`, (done) => fs.rename(from, to, done)),
  link: (from, to) => run("link", `${from} to ${to}`, (done) => fs.link(from, to, done)),
  remove: (path) => run("remove", path, (done) => fs.unlink(path, done)),
  removeDirectory: (path) => run("remove directory", path, (done) => fs.rmdir(path, done)),

  async syncDirectory(path) {
    if (!directorySyncs) return;
    const fd = await call<number>("sync directory", path, (done) =>
      fs.open(path, openFlags("directory"), done),
    );
    try {
      await run("sync directory", path, (done) => fs.fsync(fd, done));
    } finally {
      await run("close", path, (done) => fs.close(fd, done));
    }
  },
};

class NodeFile implements FileHandle {
  readonly #fd: number;
  readonly #path: string;
  readonly #gate: HandleGate;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
    this.#gate = new HandleGate(path);
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#gate.run(async () => {
      checkPosition(position);
      let filled = 0;
      while (filled < into.length) {
        const from = filled;
        const count = await call<number>("read", this.#path, (done) =>
          fs.read(this.#fd, into, from, into.length - from, position + from, done),
        );
        if (count === 0) break;
        filled += count;
      }
      return filled;
    });
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#gate.run(async () => {
      checkPosition(position);
      let written = 0;
      while (written < bytes.length) {
        const from = written;
        const count = await call<number>("write", this.#path, (done) =>
          fs.write(this.#fd, bytes, from, bytes.length - from, position + from, done),
        );
        if (count === 0)
          throw runtimeError("IO_ERROR", `cannot write ${this.#path}: the system took no bytes`);
        written += count;
      }
    });
  }

  datasync(): Promise<void> {
    return this.#gate.run(() =>
      run("datasync", this.#path, (done) => fs.fdatasync(this.#fd, done)),
    );
  }

  size(): Promise<number> {
    return this.#gate.run(async () => {
      const stats = await call<fs.Stats>("stat", this.#path, (done) => fs.fstat(this.#fd, done));
      return stats.size;
    });
  }

  close(): Promise<void> {
    return this.#gate.close(() => run("close", this.#path, (done) => fs.close(this.#fd, done)));
  }
}

/** One system call as a promise, its error mapped. */
function run(operation: string, path: string, start: (done: Done) => void): Promise<void> {
  return call<void>(operation, path, (done) => start((error) => done(error, undefined)));
}

function call<T>(operation: string, path: string, start: (done: DoneWith<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error) reject(fileError(operation, path, error));
      else resolve(value);
    });
  });
}
