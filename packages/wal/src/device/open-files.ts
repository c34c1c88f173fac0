import { assert, type BlockingFile } from "@karst/runtime";
import { OPEN_FILES_MAX } from "../limits.ts";

/**
 * Files kept open by name: those that were created here, which alone are ever written, and others for reading.
 *
 * Invariant: of either sort at most OPEN_FILES_MAX are open between calls; the least recently used goes first. A plan of
 * segments has fewer than that created and not written to their end.
 */
export class OpenFiles {
  readonly #opener: (name: string) => BlockingFile;
  readonly #created = new Map<string, BlockingFile>();
  readonly #others = new Map<string, BlockingFile>();

  /** `opener` opens an existing file for reading. */
  constructor(opener: (name: string) => BlockingFile) {
    this.#opener = opener;
  }

  reading(name: string): BlockingFile {
    const created = this.#created.get(name);
    if (created !== undefined) return created;
    const known = this.#others.get(name);
    if (known === undefined) makeRoom(this.#others);
    const file = known ?? this.#opener(name);
    putLast(this.#others, name, file);
    return file;
  }

  writing(name: string): BlockingFile {
    const file = this.#created.get(name);
    assert(file !== undefined, `${name} is not open for writing`);
    putLast(this.#created, name, file);
    return file;
  }

  /** Takes over a file that has just been created; where it throws, the file stays the caller's. */
  created(name: string, file: BlockingFile): void {
    assert(!this.#created.has(name), `${name} is open for writing already`);
    makeRoom(this.#created);
    putLast(this.#created, name, file);
  }

  drop(name: string): void {
    for (const files of [this.#created, this.#others]) {
      const file = files.get(name);
      files.delete(name);
      file?.close();
    }
  }

  /** Closes every file, also where closing one fails; then throws the first failure. */
  clear(): void {
    const failures: unknown[] = [];
    for (const name of [...this.#created.keys(), ...this.#others.keys()]) {
      try {
        this.drop(name);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0] as Error;
  }
}

/** For one more: the least recently used is closed where there are too many. */
function makeRoom(files: Map<string, BlockingFile>): void {
  if (files.size < OPEN_FILES_MAX) return;
  const oldest = files.keys().next().value as string;
  const file = files.get(oldest);
  files.delete(oldest);
  file?.close();
}

/** In the map's order, which is that of use. */
function putLast(files: Map<string, BlockingFile>, name: string, file: BlockingFile): void {
  files.delete(name);
  files.set(name, file);
}
