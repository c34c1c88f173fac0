import { concatBytes } from "@karst/runtime";

const PIECE_BYTES = 64 * 1024;

/**
 * Joins short arrays in memory cut from larger pieces: an array of its own costs a short answer more than encoding it did.
 *
 * Invariant: bytes of `#piece` from `#used` on belong to nobody; no byte is given out twice. A piece lives as long as what was cut
 * from it.
 */
export class Joiner {
  #piece = new Uint8Array(0);
  #used = 0;

  /** The parts, of `bytes` in all, one after the other. */
  join(parts: readonly Uint8Array[], bytes: number): Uint8Array {
    if (bytes > PIECE_BYTES / 2) return concatBytes(parts);
    if (this.#used + bytes > this.#piece.length) {
      this.#piece = new Uint8Array(PIECE_BYTES);
      this.#used = 0;
    }
    const from = this.#used;
    for (const part of parts) {
      this.#piece.set(part, this.#used);
      this.#used += part.length;
    }
    return this.#piece.subarray(from, this.#used);
  }
}
