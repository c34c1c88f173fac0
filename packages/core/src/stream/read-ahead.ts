import type { ObjectReads } from "../cache/object-reads.ts";
import type { ObjectIndex } from "../format/object-index.ts";
import { READ_AHEAD_BYTES_MAX, READ_AHEAD_BYTES_MIN, READ_CURSORS_MAX } from "../limits.ts";
import type { StoredObject } from "./references.ts";

/**
 * Fetches the blocks that a sequential reader will want next. A reader is known by the stream and the offset it comes back with;
 * its window doubles each time it does, and begins anew when memory is short.
 *
 * Invariant: at most `READ_CURSORS_MAX` readers are remembered; the longest unseen is forgotten first.
 */
export class ReadAhead {
  readonly #objects: ObjectReads;
  readonly #bytesMax: number;
  readonly #windows = new Map<string, number>();

  /** @param bytesMax of one reader. */
  constructor(objects: ObjectReads, bytesMax: number) {
    this.#objects = objects;
    this.#bytesMax = Math.min(bytesMax, READ_AHEAD_BYTES_MAX);
  }

  /** A read begins at `offset`: the window it may use. */
  begin(streamId: number, offset: number): number {
    const key = `${streamId}@${offset}`;
    const window = this.#windows.get(key);
    this.#windows.delete(key);
    return Math.min(window ?? READ_AHEAD_BYTES_MIN, this.#bytesMax);
  }

  /** It ended before `offset`, having used `window`. */
  end(streamId: number, offset: number, window: number): void {
    this.#windows.set(`${streamId}@${offset}`, Math.min(window * 2, this.#bytesMax));
    if (this.#windows.size <= READ_CURSORS_MAX) return;
    const [oldest] = this.#windows.keys();
    if (oldest !== undefined) this.#windows.delete(oldest);
  }

  /**
   * Begins to read the blocks after the one at position `i`, up to `window` bytes.
   *
   * @returns the window to go on with: the smallest, if memory was short.
   */
  fetch(object: StoredObject, index: ObjectIndex, i: number, window: number): number {
    let left = window;
    for (let next = index.nextData(i); next !== undefined; next = index.nextData(next)) {
      const entry = index.entry(next);
      left -= entry.bytes;
      if (left < 0) return window;
      if (!this.#objects.prefetch(object, entry)) return READ_AHEAD_BYTES_MIN;
    }
    return window;
  }
}
