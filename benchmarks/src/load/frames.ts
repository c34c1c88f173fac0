import { viewOf } from "@karst/runtime";

/**
 * Cuts a stream of bytes into frames, each an int32 length and that many bytes, the least that will do: no limits, nothing checked.
 * A frame that lies within one chunk is a view of it, any other is assembled in an array of its size.
 */
export class Frames {
  readonly #onFrame: (frame: Uint8Array) => void;
  readonly #length = new Uint8Array(4);
  #lengthBytes = 0;
  #frame: Uint8Array | undefined;
  #frameBytes = 0;

  /** `onFrame` gets a frame with its length, borrowed. */
  constructor(onFrame: (frame: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Uint8Array): void {
    const view = viewOf(chunk);
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame === undefined && this.#lengthBytes === 0 && at + 4 <= chunk.length) {
        const end = at + 4 + view.getInt32(at);
        if (end <= chunk.length) {
          this.#onFrame(chunk.subarray(at, end));
          at = end;
          continue;
        }
      }
      at = this.#assemble(chunk, at);
    }
  }

  #assemble(chunk: Uint8Array, from: number): number {
    let at = from;
    if (this.#frame === undefined) {
      while (at < chunk.length && this.#lengthBytes < 4) {
        this.#length[this.#lengthBytes] = chunk[at] as number;
        this.#lengthBytes += 1;
        at += 1;
      }
      if (this.#lengthBytes < 4) return at;
      this.#frame = new Uint8Array(4 + viewOf(this.#length).getInt32(0));
      this.#frame.set(this.#length);
      this.#frameBytes = 4;
    }
    const frame = this.#frame;
    const piece = chunk.subarray(at, at + frame.length - this.#frameBytes);
    frame.set(piece, this.#frameBytes);
    this.#frameBytes += piece.length;
    if (this.#frameBytes < frame.length) return chunk.length;
    this.#frame = undefined;
    this.#lengthBytes = 0;
    this.#onFrame(frame);
    return at + piece.length;
  }
}
