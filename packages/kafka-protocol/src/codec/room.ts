import { SHARED_BUFFER_BYTES } from "../limits.ts";

/** Bytes to write a message into. */
export interface Room {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the room begins in `bytes`. */
  readonly from: number;
}

/**
 * The buffer from which small messages get their room, one after the other: a buffer of its own costs a small message more than
 * encoding it does.
 *
 * Invariant: bytes from `used` on belong to nobody; no byte is given out twice. A buffer lives as long as one of its messages.
 */
let shared = newRoom(SHARED_BUFFER_BYTES);
let used = 0;

/** Room of `bytes` bytes, all zero, that nobody else has. */
export function takeRoom(bytes: number): Room {
  if (bytes > SHARED_BUFFER_BYTES / 2) return newRoom(bytes);
  if (used + bytes > SHARED_BUFFER_BYTES) {
    shared = newRoom(SHARED_BUFFER_BYTES);
    used = 0;
  }
  const room = { bytes: shared.bytes, view: shared.view, from: used };
  used += bytes;
  return room;
}

function newRoom(bytes: number): Room {
  const buffer = new ArrayBuffer(bytes);
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer), from: 0 };
}
