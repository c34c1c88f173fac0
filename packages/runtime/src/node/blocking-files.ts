import fs from "node:fs";
import { runtimeError } from "../errors.ts";
import { checkPosition, fileError } from "../file-errors.ts";
import type { BlockingFile, BlockingFiles } from "../files.ts";
import { directorySyncs, entriesOf, FILE_MODE, openFlags } from "./file-modes.ts";
import { makeDirectorySync } from "./make-directory.ts";

/** Files by blocking calls, for a thread that has nothing else to do. */
export const nodeBlockingFiles: BlockingFiles = {
  open: (path, mode) =>
    new NodeBlockingFile(
      call("open", path, () => fs.openSync(path, openFlags(mode), FILE_MODE)),
      path,
    ),
  list: (path) =>
    call("list", path, () => entriesOf(fs.readdirSync(path, { withFileTypes: true }))),
  makeDirectory: (path) => call("make directory", path, () => makeDirectorySync(path)),
  rename: (from, to) => call("rename", `${from} to ${to}`, () => fs.renameSync(from, to)),
  remove: (path) => call("remove", path, () => fs.unlinkSync(path)),

  syncDirectory(path) {
    if (!directorySyncs) return;
    call("sync directory", path, () => {
      const fd = fs.openSync(path, openFlags("directory"));
      try {
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  },
};

class NodeBlockingFile implements BlockingFile {
  readonly #path: string;
  #fd: number | undefined;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    checkPosition(position);
    const fd = this.#open();
    return call("read", this.#path, () => fs.readSync(fd, into, offset, length, position));
  }

  write(bytes: Uint8Array, offset: number, length: number, position: number): number {
    checkPosition(position);
    const fd = this.#open();
    const count = call("write", this.#path, () =>
      fs.writeSync(fd, bytes, offset, length, position),
    );
    if (count === 0 && length > 0)
      throw runtimeError("IO_ERROR", `cannot write ${this.#path}: the system took no bytes`);
    return count;
  }

  datasync(): void {
    const fd = this.#open();
    call("datasync", this.#path, () => fs.fdatasyncSync(fd));
  }

  size(): number {
    const fd = this.#open();
    return call("stat", this.#path, () => fs.fstatSync(fd).size);
  }

  close(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    // Whatever close answers, the descriptor is gone and may be another file's by now.
    this.#fd = undefined;
    call("close", this.#path, () => fs.closeSync(fd));
  }

  #open(): number {
    if (this.#fd === undefined) throw runtimeError("IO_ERROR", `${this.#path} has been closed`);
    return this.#fd;
  }
}

/** One system call, its error mapped. */
function call<T>(operation: string, path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw fileError(operation, path, error);
  }
}
