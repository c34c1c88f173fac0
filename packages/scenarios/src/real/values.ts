import { createHash } from "node:crypto";

const ID_BYTES = 8;
const FILLER_BYTES_MAX = 255;

/** The bytes that the record of an id has, for ever: nobody has to remember them. */
export function valueOf(id: number): Uint8Array {
  const bytes = new Uint8Array(ID_BYTES + ((Math.imul(id, 0x9e37_79b1) >>> 24) % FILLER_BYTES_MAX));
  new DataView(bytes.buffer).setFloat64(0, id);
  let state = Math.imul(id, 0x85eb_ca6b) | 1;
  for (let at = ID_BYTES; at < bytes.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

/** -1: these bytes have none. */
export function idOf(value: Uint8Array | null): number {
  if (value === null || value.length < ID_BYTES) return -1;
  const id = new DataView(value.buffer, value.byteOffset).getFloat64(0);
  return Number.isSafeInteger(id) ? id : -1;
}

export function hashOf(value: Uint8Array | null): string {
  return createHash("sha256")
    .update(value ?? "null")
    .digest("base64url")
    .slice(0, 12);
}
