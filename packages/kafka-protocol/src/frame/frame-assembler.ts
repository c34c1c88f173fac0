import { protocolError } from "../errors.ts";
import {
  FRAME_BYTES_MAX,
  FRAME_GROWTH,
  FRAME_STEP_BYTES,
  UNTRUSTED_FRAME_BYTES_MAX,
} from "../limits.ts";
import { foreignProtocol } from "./foreign-protocol.ts";

/** A frame without its length. */
export interface Frame {
  readonly bytes: Uint8Array;
  /**
   * `borrowed`: within the chunk, valid until `onFrame` returns; nothing is reserved for it. `owned`: assembled, the receiver's to
   * keep, and with it goes the reservation of `bytes.length` bytes, which the receiver gives back.
   */
  readonly held: "borrowed" | "owned";
}

export interface FrameAssemblerOptions {
  /** Called in order, synchronously within `push`. */
  readonly onFrame: (frame: Frame) => void;
  /** Asks for memory before it is allocated; false refuses it. */
  readonly reserve: (bytes: number) => boolean;
  readonly release: (bytes: number) => void;
  /** Shortest frame: 10 for requests (a header without client id), 4 for responses. */
  readonly frameBytesMin: number;
  readonly frameBytesMax?: number;
  /** In place of `frameBytesMax` until `trust` is called. */
  readonly untrustedFrameBytesMax?: number;
}

/** Fewest bytes of a request: apiKey, apiVersion, correlationId and a null client id. */
export const REQUEST_FRAME_BYTES_MIN: number = 10;

/** Fewest bytes of a response: its correlation id. */
export const RESPONSE_FRAME_BYTES_MIN: number = 4;

/**
 * Cuts a byte stream into frames: an int32 length and that many bytes.
 *
 * A frame that lies within one chunk is not copied. Any other is copied into a buffer that grows with what arrives.
 *
 * Invariants: the reservation is the size of #buffer (between calls). #buffer is at most the frame's length, and at most FRAME_STEP_BYTES or
 * FRAME_GROWTH times the bytes that arrived: a claimed length costs nothing. A failed or closed assembler holds nothing.
 */
export class FrameAssembler {
  readonly #options: FrameAssemblerOptions;
  #frameBytesMax: number;
  /** `length`: the next byte belongs to a length. `body`: the length is known. `dead`: failed or closed. */
  #state: "length" | "body" | "dead" = "length";
  /** Bytes of the length or the body that are there. */
  #received = 0;
  /** The length, as far as it is known; in `body`, all of it. */
  #length = 0;
  #buffer: Uint8Array = nothing;

  /** @throws TypeError when `frameBytesMin` allows empty frames. */
  constructor(options: FrameAssemblerOptions) {
    if (options.frameBytesMin < 1) throw new TypeError("a frame has at least one byte");
    this.#options = options;
    this.#frameBytesMax = options.untrustedFrameBytesMax ?? UNTRUSTED_FRAME_BYTES_MAX;
  }

  /** Allows frames up to `frameBytesMax` from now on: the first request was valid. Also from within `onFrame`. */
  trust(): void {
    this.#frameBytesMax = this.#options.frameBytesMax ?? FRAME_BYTES_MAX;
  }

  /** Bytes reserved for a frame that is not complete. */
  get reservedBytes(): number {
    return this.#buffer.length;
  }

  /** Whether a frame has begun and not ended: at the end of the stream it is truncated. */
  get midFrame(): boolean {
    return this.#state === "body" || (this.#state === "length" && this.#received > 0);
  }

  /**
   * Takes the next bytes of the stream; `chunk` is not kept.
   *
   * @throws KarstError `MALFORMED_MESSAGE` (`corrupt`) for a length below the minimum; `WIRE_FRAME_TOO_LARGE` (`invalid`); `WIRE_FRAME_REFUSED`
   * (`unavailable`). What `onFrame` throws (an owned frame was handed over all the same). After an error, further chunks are ignored.
   */
  push(chunk: Uint8Array): void {
    try {
      let at = 0;
      while (at < chunk.length && this.#state !== "dead") {
        at = this.#state === "length" ? this.#takeLength(chunk, at) : this.#takeBody(chunk, at);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Gives back what is reserved; further chunks are ignored. Also from within `onFrame`. */
  close(): void {
    this.#state = "dead";
    this.#replaceBuffer(nothing);
  }

  /** @returns Where in `chunk` the rest begins. */
  #takeLength(chunk: Uint8Array, from: number): number {
    let at = from;
    for (; at < chunk.length && this.#received < LENGTH_BYTES; at += 1) {
      this.#length = (this.#length << 8) | (chunk[at] as number);
      this.#received += 1;
    }
    if (this.#received === LENGTH_BYTES) {
      this.#checkLength(this.#length);
      this.#state = "body";
      this.#received = 0;
    }
    return at;
  }

  #checkLength(length: number): void {
    const { frameBytesMin } = this.#options;
    if (length > this.#frameBytesMax) {
      const limit = `the limit is ${this.#frameBytesMax}${foreignProtocol(length)}`;
      throw protocolError("WIRE_FRAME_TOO_LARGE", `a frame of ${length} bytes, ${limit}`);
    }
    if (length < frameBytesMin) {
      const least = `the least is ${frameBytesMin}${foreignProtocol(length)}`;
      throw protocolError("MALFORMED_MESSAGE", `a frame of ${length} bytes, ${least}`);
    }
  }

  /** @returns Where in `chunk` the rest begins. */
  #takeBody(chunk: Uint8Array, from: number): number {
    const to = Math.min(chunk.length, from + this.#length - this.#received);
    const piece = chunk.subarray(from, to);
    if (piece.length === this.#length) {
      this.#startNext();
      this.#options.onFrame({ bytes: piece, held: "borrowed" });
      return to;
    }
    const received = this.#received + piece.length;
    if (received > this.#buffer.length) this.#grow(received);
    this.#buffer.set(piece, this.#received);
    this.#received = received;
    if (received === this.#length) {
      const bytes = this.#buffer;
      this.#buffer = nothing;
      this.#startNext();
      this.#options.onFrame({ bytes, held: "owned" });
    }
    return to;
  }

  #startNext(): void {
    this.#state = "length";
    this.#received = 0;
    this.#length = 0;
  }

  /** Makes room for `received` bytes; the last growth makes the buffer the frame's exact size. */
  #grow(received: number): void {
    const bytes = Math.min(this.#length, Math.max(FRAME_STEP_BYTES, received * FRAME_GROWTH));
    if (!this.#options.reserve(bytes)) {
      throw protocolError(
        "WIRE_FRAME_REFUSED",
        `no memory for ${bytes} bytes of a frame of ${this.#length}`,
      );
    }
    const grown = new Uint8Array(bytes);
    grown.set(this.#buffer);
    this.#replaceBuffer(grown);
  }

  #replaceBuffer(next: Uint8Array): void {
    if (this.#buffer.length > 0) this.#options.release(this.#buffer.length);
    this.#buffer = next;
  }
}

const LENGTH_BYTES = 4;
const nothing: Uint8Array = new Uint8Array(0);
