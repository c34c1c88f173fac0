import { type Memory } from "../format/group.ts";
import { memoryOf } from "../group-buffer.ts";
import type { SegmentDevice } from "../segment-device.ts";
import { walError } from "../errors.ts";

/**
 * A part of a segment file in memory, moved over it from front to back.
 *
 * Invariant: `memory` holds the file's bytes [#from, #from + #length), and has room for the largest part asked for.
 */
export class SegmentWindow {
  readonly fileBytes: number;
  readonly windowBytes: number;
  readonly #device: SegmentDevice;
  readonly #name: string;
  #memory: Memory;
  #from = 0;
  #length = 0;

  constructor(device: SegmentDevice, name: string, fileBytes: number, windowBytes: number) {
    this.#device = device;
    this.#name = name;
    this.fileBytes = fileBytes;
    this.windowBytes = windowBytes;
    this.#memory = memoryOf(
      new Uint8Array(new SharedArrayBuffer(Math.min(windowBytes, fileBytes))),
    );
  }

  get memory(): Memory {
    return this.#memory;
  }

  /** Where the file's byte `at`, which is loaded, lies in `memory`. */
  offsetOf(at: number): number {
    return at - this.#from;
  }

  /** A view, valid until the next `load`. */
  bytes(at: number, length: number): Uint8Array {
    return this.#memory.bytes.subarray(at - this.#from, at - this.#from + length);
  }

  /** Makes sure that [at, at + length), inside the file, is in memory. */
  async load(at: number, length: number): Promise<void> {
    if (at >= this.#from && at + length <= this.#from + this.#length) return;
    if (length > this.#memory.bytes.length)
      this.#memory = memoryOf(new Uint8Array(new SharedArrayBuffer(length)));
    const wanted = Math.min(this.#memory.bytes.length, this.fileBytes - at);
    const read = await this.#device.read(this.#name, at, this.#memory.bytes.subarray(0, wanted));
    if (read < wanted) {
      throw walError(
        "WAL_CORRUPT",
        `${this.#device.location}/${this.#name} ends at position ${at + read}, before its size`,
      );
    }
    this.#from = at;
    this.#length = wanted;
  }
}
