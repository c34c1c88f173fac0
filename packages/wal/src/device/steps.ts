import {
  type BlockingFile,
  type BlockingFiles,
  type DirectoryEntry,
  hasCode,
} from "@karst/runtime";
import { walError } from "../errors.ts";
import { fenceName, temporaryName } from "../format/names.ts";
import { PREWRITE_SLICE_BYTES, SMALL_FILE_BYTES_MAX } from "../limits.ts";
import type { NewSegment, SegmentWrite, SmallFile } from "../segment-device.ts";
import { OpenFiles } from "./open-files.ts";

/** Blocking files that can also tell whether a path exists: for sure, or by throwing. */
export interface DeviceFiles extends BlockingFiles {
  exists(path: string): boolean;
}

/** What the next step of an operation will do. Between two steps a driver may run other operations, or crash. */
export type Step = "write" | "sync" | "fence" | "name";
export type Steps<T> = Generator<Step, T, void>;

const ZEROS: Uint8Array = new Uint8Array(PREWRITE_SLICE_BYTES);

/**
 * What a device does, as sequences of steps over blocking files: the one implementation, for all drivers.
 *
 * A name is given to a file only after its content is durable, and counts only after the directory has been synced.
 */
export class DeviceSteps {
  readonly #files: DeviceFiles;
  readonly #directory: string;
  readonly #open: OpenFiles;

  constructor(files: DeviceFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
    this.#open = new OpenFiles((name) => files.open(this.#path(name), "read"));
  }

  list(): readonly DirectoryEntry[] {
    try {
      return this.#files.list(this.#directory);
    } catch (error) {
      if (!hasCode(error, "FILE_NOT_FOUND")) throw error;
    }
    this.#files.makeDirectory(this.#directory);
    this.#syncAncestors();
    return this.#files.list(this.#directory);
  }

  readSmall(name: string): Uint8Array | undefined {
    let file: BlockingFile;
    try {
      file = this.#files.open(this.#path(name), "read");
    } catch (error) {
      if (hasCode(error, "FILE_NOT_FOUND")) return undefined;
      throw error;
    }
    try {
      const bytes = new Uint8Array(Math.min(file.size(), SMALL_FILE_BYTES_MAX));
      return bytes.subarray(0, readAll(file, bytes, 0));
    } finally {
      file.close();
    }
  }

  *replaceSmall({ name, bytes, writer, epoch }: SmallFile): Steps<void> {
    const temporary = temporaryName(`${name}-${writer}`);
    this.#removeIfThere(temporary);
    const file = this.#files.open(this.#path(temporary), "create");
    try {
      yield "write";
      writeAll(file, bytes, 0);
      yield "sync";
      file.datasync();
    } finally {
      file.close();
    }
    // A successor creates its fence and then removes what is temporary: one of the two is found here, or he finds the new name.
    yield "fence";
    if (epoch !== undefined) this.#checkFence(epoch);
    yield "name";
    this.#files.rename(this.#path(temporary), this.#path(name));
    yield "sync";
    this.#files.syncDirectory(this.#directory);
  }

  *createFence(epoch: number): Steps<void> {
    this.#files.open(this.#path(fenceName(epoch)), "create").close();
    yield "sync";
    this.#files.syncDirectory(this.#directory);
    // Whoever made the directory may have ended before it was durable.
    this.#syncAncestors();
  }

  *create(segment: NewSegment): Steps<void> {
    const temporary = temporaryName(segment.name);
    this.#removeIfThere(temporary);
    const file = this.#files.open(this.#path(temporary), "create");
    yield* this.#named(segment, temporary, file, function* () {
      for (let at = 0; at < segment.fileBytes; at += ZEROS.length) {
        yield "write";
        writeAll(file, ZEROS.subarray(0, Math.min(ZEROS.length, segment.fileBytes - at)), at);
        if (at === 0) writeAll(file, segment.header, 0);
        file.datasync();
      }
    });
  }

  *recycle(from: string, segment: NewSegment): Steps<void> {
    const temporary = temporaryName(segment.name);
    this.#open.drop(from);
    this.#files.rename(this.#path(from), this.#path(temporary));
    yield "write";
    const file = this.#files.open(this.#path(temporary), "write");
    yield* this.#named(segment, temporary, file, function* () {
      yield "write";
      const bytes = file.size();
      if (bytes !== segment.fileBytes)
        throw new Error(`${from} has ${bytes} bytes, not ${segment.fileBytes}`);
      writeAll(file, segment.header, 0);
      file.datasync();
    });
  }

  *write({ name, position, bytes, epoch }: SegmentWrite): Steps<void> {
    const file = this.#open.writing(name);
    writeAll(file, bytes, position);
    yield "sync";
    file.datasync();
    yield "fence";
    this.#checkFence(epoch);
  }

  read(name: string, position: number, into: Uint8Array): number {
    return readAll(this.#open.reading(name), into, position);
  }

  size(name: string): number {
    return this.#open.reading(name).size();
  }

  *remove(names: readonly string[]): Steps<void> {
    for (const name of names) {
      this.#open.drop(name);
      this.#removeIfThere(name);
      yield "name";
    }
    this.#files.syncDirectory(this.#directory);
  }

  close(): void {
    this.#open.clear();
  }

  /** Gives a segment its name after `fill` has made its content durable, and keeps it open; after a failure nothing is left of it. */
  *#named(
    segment: NewSegment,
    temporary: string,
    file: BlockingFile,
    fill: () => Steps<void>,
  ): Steps<void> {
    let name = temporary;
    try {
      yield* fill();
      // As for small files: it never gets a name in a directory that a successor has looked at.
      yield "fence";
      this.#checkFence(segment.epoch);
      yield "name";
      this.#files.rename(this.#path(temporary), this.#path(segment.name));
      name = segment.name;
      yield "sync";
      this.#files.syncDirectory(this.#directory);
      yield "fence";
      this.#checkFence(segment.epoch);
      this.#open.created(segment.name, file);
    } catch (error) {
      file.close();
      this.#discard(name);
      throw error;
    }
  }

  /**
   * The successor's fence first, then our own: fences are removed in ascending order, so that one who finds neither his
   * successor's nor his own has been succeeded long ago.
   */
  #checkFence(epoch: number): void {
    const successor = this.#path(fenceName(epoch + 1));
    if (this.#files.exists(successor)) throw fenced(`${successor} exists`);
    const own = this.#path(fenceName(epoch));
    if (!this.#files.exists(own)) throw fenced(`${own} is gone`);
  }

  /** After a failed creation. The next attempt removes what this one cannot. */
  #discard(name: string): void {
    try {
      this.#files.remove(this.#path(name));
    } catch {
      // The failure that led here is the one to report.
    }
  }

  #removeIfThere(name: string): void {
    try {
      this.#files.remove(this.#path(name));
    } catch (error) {
      if (!hasCode(error, "FILE_NOT_FOUND")) throw error;
    }
  }

  /** Durable to the root: a parent that existed may itself be younger than the last sync above it. */
  #syncAncestors(): void {
    for (let path = parentOf(this.#directory); path !== undefined; path = parentOf(path)) {
      try {
        this.#files.syncDirectory(path);
      } catch (error) {
        // Directories far above may be closed to us: nothing in them is ours.
        if (!isForbidden(error)) throw error;
      }
    }
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

function fenced(why: string): Error {
  return walError("WAL_FENCED", `a later claim of this WAL exists: ${why}`);
}

function isForbidden(error: unknown): boolean {
  const cause: unknown = hasCode(error, "IO_ERROR") ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && /^(EACCES|EPERM)$/.test(String(cause.code));
}

/** Writes until the last byte is taken. */
function writeAll(file: BlockingFile, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) done += file.write(bytes, done, bytes.length - done, position + done);
}

/** Reads until `into` is full or the file ends. */
function readAll(file: BlockingFile, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.length) {
    const count = file.read(into, done, into.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** `/a/b` → `/a` → `/`; `a/b` → `a` → `.`. */
function parentOf(path: string): string | undefined {
  if (path === "/" || path === ".") return undefined;
  const slash = path.lastIndexOf("/");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}
