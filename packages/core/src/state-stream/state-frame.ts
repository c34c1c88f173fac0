import { crc32c, isKarstError, viewOf } from "@karst/runtime";
import { PackedReader } from "../catalogue/packed/reader.ts";
import { PackedWriter } from "../catalogue/packed/writer.ts";
import { coreError } from "../errors.ts";

/*
 * One batch of a state stream; the page docs/formats/state-stream.md has the grammar and a worked example.
 *
 *   frame := magic:4 "KSTS" version:u16=1 features:u32=0 kind:u8 body crc:u32       crc: CRC-32C of all before it
 *   body  := part bytes                      kind 1 (last part of a write), 2 (more follow)
 *          | from                            kind 3 (end of a snapshot)
 */

const MAGIC = 0x4b53_5453;
const VERSION = 1;
const KNOWN_FEATURES = 0;
const HEADER_BYTES = 11;
const CRC_BYTES = 4;
const AT_VERSION = 4;
const AT_FEATURES = 6;

/** What a frame adds to the bytes of a part, at most. */
export const FRAME_OVERHEAD_BYTES: number = HEADER_BYTES + 8 + CRC_BYTES;

const KINDS = ["last part", "part", "snapshot end"] as const;

export type StateFrame =
  | {
      readonly tag: "last part" | "part";
      /** From 0 in each write. */
      readonly part: number;
      /** A view of the frame's bytes. */
      readonly bytes: Uint8Array;
    }
  /** The frames from `from` on, up to this one, put every key that had a value when this one was written. */
  | { readonly tag: "snapshot end"; readonly from: number };

export function encodeStateFrame(frame: StateFrame): Uint8Array {
  const room = frame.tag === "snapshot end" ? 0 : frame.bytes.length;
  const writer = new PackedWriter(FRAME_OVERHEAD_BYTES + room);
  writer.u32(MAGIC);
  writer.u16(VERSION);
  writer.u32(KNOWN_FEATURES);
  writer.u8(KINDS.indexOf(frame.tag) + 1);
  if (frame.tag === "snapshot end") {
    writer.varint(frame.from);
  } else {
    writer.varint(frame.part);
    writer.raw(frame.bytes);
  }
  writer.u32(crc32c(writer.view()));
  return writer.finish();
}

/**
 * @param where names the frame in errors.
 * @throws KarstError `STATE_STREAM_CORRUPT`, `STATE_STREAM_VERSION` (`corrupt`).
 */
export function decodeStateFrame(payload: Uint8Array, where: string): StateFrame {
  const end = payload.length - CRC_BYTES;
  if (end < HEADER_BYTES) throw corruptState(`${where}: ${payload.length} bytes`);
  const view = viewOf(payload);
  if (view.getUint32(end) !== crc32c(payload.subarray(0, end)))
    throw corruptState(`${where}: wrong CRC`);
  if (view.getUint32(0) !== MAGIC) throw corruptState(`${where}: wrong magic`);
  if (view.getUint16(AT_VERSION) !== VERSION || view.getUint32(AT_FEATURES) !== KNOWN_FEATURES) {
    throw coreError(
      "STATE_STREAM_VERSION",
      `${where}: version ${view.getUint16(AT_VERSION)} with features ${view.getUint32(AT_FEATURES)} is newer than this code`,
    );
  }
  return asStateError(where, () => {
    const reader = new PackedReader(payload, where, HEADER_BYTES - 1, end);
    const tag = reader.oneOf(KINDS);
    const number = reader.varint();
    if (tag !== "snapshot end") return { tag, part: number, bytes: reader.raw(reader.remaining) };
    reader.finish();
    return { tag, from: number };
  });
}

export function corruptState(problem: string, cause?: unknown): Error {
  return coreError("STATE_STREAM_CORRUPT", problem, cause);
}

/** Reads packed values; what they throw becomes an error of a state stream. */
export function asStateError<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isKarstError(error, "corrupt")) throw corruptState(`${where}: ${error.message}`, error);
    throw error;
  }
}
