import { runtimeError } from "../../errors.ts";
import { type Random, randomInteger } from "../../random.ts";
import type { DiskCall, DiskEffect } from "./faults.ts";
import type { SyncPoint } from "./file-content.ts";
import { failBy, strikeError } from "./life.ts";
import type { FileNode } from "./namespace.ts";
import { diskError } from "./system-error.ts";
import type { Volume } from "./volume.ts";

/** A file opened once: what both kinds of handle do, faults included. */
export class OpenFile {
  readonly path: string;
  readonly #volume: Volume;
  readonly #node: FileNode;
  readonly #writable: boolean;
  readonly #random: Random;
  #closed = false;

  constructor(options: {
    readonly path: string;
    readonly volume: Volume;
    readonly node: FileNode;
    readonly writable: boolean;
    readonly random: Random;
  }) {
    this.path = options.path;
    this.#volume = options.volume;
    this.#node = options.node;
    this.#writable = options.writable;
    this.#random = options.random;
  }

  get closed(): boolean {
    return this.#closed;
  }

  checkOpen(): void {
    if (this.#closed) throw runtimeError("IO_ERROR", `${this.path} has been closed`);
  }

  read(into: Uint8Array, position: number, effect: DiskEffect | undefined, call: DiskCall): number {
    failBy(effect, call);
    return this.#node.content.read(into, position);
  }

  /** Returns how many bytes were taken; fewer than given when the disk is full or a fault strikes. */
  write(
    bytes: Uint8Array,
    position: number,
    effect: DiskEffect | undefined,
    call: DiskCall,
  ): number {
    if (!this.#writable) throw diskError("EBADF", "write", this.path);
    if (effect === undefined || bytes.length === 0)
      return this.#volume.write(this.#node, bytes, position, this.path);
    if (effect === "short-write") {
      const length = randomInteger(this.#random, 1, Math.max(bytes.length - 1, 1));
      return this.#volume.write(this.#node, bytes.subarray(0, length), position, this.path);
    }
    const length = randomInteger(this.#random, 0, bytes.length - 1);
    if (length > 0) this.#volume.write(this.#node, bytes.subarray(0, length), position, this.path);
    throw strikeError(effect, call);
  }

  beginSync(): SyncPoint {
    return this.#node.content.beginSync();
  }

  endSync(point: SyncPoint, effect: DiskEffect | undefined, call: DiskCall): void {
    if (effect === undefined || effect === "short-write") {
      this.#node.content.completeSync(point);
      return;
    }
    this.#node.content.failSync(point, effect === "lost-sync");
    throw strikeError(effect, call);
  }

  size(effect: DiskEffect | undefined, call: DiskCall): number {
    failBy(effect, call);
    return this.#node.content.size;
  }

  /** The handle is gone even where closing fails. */
  close(effect: DiskEffect | undefined, call: DiskCall): void {
    this.#closed = true;
    this.#volume.close(this.#node);
    failBy(effect, call);
  }
}
