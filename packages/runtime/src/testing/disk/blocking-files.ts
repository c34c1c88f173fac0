import { checkPosition } from "../../file-errors.ts";
import type { BlockingFile, BlockingFiles, DirectoryEntry } from "../../files.ts";
import type { Random } from "../../random.ts";
import type { DiskCall } from "./faults.ts";
import { type DiskLife, failBy } from "./life.ts";
import { OpenFile } from "./open-file.ts";
import { normalise } from "./volume.ts";

/** The blocking side of a simulated disk, for one life of its process. Its calls take no time. */
export class SimulatedBlockingFiles implements BlockingFiles {
  readonly #life: DiskLife;
  readonly #random: Random;

  constructor(life: DiskLife, random: Random) {
    this.#life = life;
    this.#random = random;
  }

  open(path: string, mode: "read" | "create" | "write"): BlockingFile {
    const call: DiskCall = { operation: "open", path: normalise(path), mode };
    return this.#do(call, () => {
      const { volume } = this.#life;
      const node = volume.open(call.path, mode);
      const file = new OpenFile({
        path: call.path,
        volume,
        node,
        writable: mode !== "read",
        random: this.#random,
      });
      return new SimulatedBlockingFile(this.#life, file);
    });
  }

  list(path: string): readonly DirectoryEntry[] {
    const call: DiskCall = { operation: "list", path: normalise(path) };
    return this.#do(call, () => this.#life.volume.list(call.path));
  }

  makeDirectory(path: string): void {
    const call: DiskCall = { operation: "makeDirectory", path: normalise(path) };
    this.#do(call, () => this.#life.volume.makeDirectory(call.path));
  }

  rename(from: string, to: string): void {
    const call = { operation: "rename", path: normalise(from), to: normalise(to) } as const;
    this.#do(call, () => this.#life.volume.rename(call.path, call.to));
  }

  remove(path: string): void {
    const call: DiskCall = { operation: "remove", path: normalise(path) };
    this.#do(call, () => this.#life.volume.remove(call.path));
  }

  syncDirectory(path: string): void {
    const call: DiskCall = { operation: "syncDirectory", path: normalise(path) };
    this.#do(call, () => {
      const { directory, point } = this.#life.volume.beginDirectorySync(call.path);
      this.#life.volume.names.completeSync(directory, point);
    });
  }

  #do<T>(call: DiskCall, body: () => T): T {
    return this.#life.now(call, (effect) => {
      failBy(effect, call);
      return body();
    });
  }
}

class SimulatedBlockingFile implements BlockingFile {
  readonly #life: DiskLife;
  readonly #file: OpenFile;

  constructor(life: DiskLife, file: OpenFile) {
    this.#life = life;
    this.#file = file;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    checkPosition(position);
    const part = slice(into, offset, length);
    const call: DiskCall = { operation: "read", path: this.#file.path, position, length };
    this.#file.checkOpen();
    return this.#life.now(call, (effect) => this.#file.read(part, position, effect, call));
  }

  write(bytes: Uint8Array, offset: number, length: number, position: number): number {
    checkPosition(position);
    const part = slice(bytes, offset, length);
    const call: DiskCall = { operation: "write", path: this.#file.path, position, length };
    this.#file.checkOpen();
    return this.#life.now(call, (effect) => this.#file.write(part, position, effect, call));
  }

  datasync(): void {
    const call: DiskCall = { operation: "datasync", path: this.#file.path };
    this.#file.checkOpen();
    this.#life.now(call, (effect) => this.#file.endSync(this.#file.beginSync(), effect, call));
  }

  size(): number {
    const call: DiskCall = { operation: "size", path: this.#file.path };
    this.#file.checkOpen();
    return this.#life.now(call, (effect) => this.#file.size(effect, call));
  }

  close(): void {
    if (this.#file.closed) return;
    const call: DiskCall = { operation: "close", path: this.#file.path };
    this.#life.now(call, (effect) => this.#file.close(effect, call));
  }
}

function slice(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset < 0 || length < 0 || offset + length > bytes.length) {
    throw new RangeError(`[${offset}, ${offset + length}) is not inside ${bytes.length} bytes`);
  }
  return bytes.subarray(offset, offset + length);
}
