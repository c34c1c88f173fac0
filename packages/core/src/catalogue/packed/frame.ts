import { crc32c } from "@karst/runtime";
import { coreError } from "../../errors.ts";
import { PackedReader } from "./reader.ts";
import { PackedWriter } from "./writer.ts";

/**
 * What every object of the log is wrapped in:
 *
 *     magic u32 · version u16 · features u32 · body · crc32c u32 of all before it
 *
 * All later versions keep magic, version and features first and the CRC last, so that damage and novelty are told apart.
 */
export interface FrameKind {
  /** Four ASCII letters, as the big-endian number that they are. */
  readonly magic: number;
  readonly version: number;
  /** Required-feature bits that this code knows. */
  readonly features: number;
}

const HEAD_BYTES = 10;
const CRC_BYTES = 4;

export const FRAME_OVERHEAD_BYTES: number = HEAD_BYTES + CRC_BYTES;

/** Starts a frame; the caller writes the body and then calls `endFrame`. */
export function beginFrame(kind: FrameKind, capacity?: number): PackedWriter {
  const writer = new PackedWriter(capacity);
  writer.u32(kind.magic);
  writer.u16(kind.version);
  writer.u32(0);
  return writer;
}

/** The whole frame, with its CRC. */
export function endFrame(writer: PackedWriter): Uint8Array {
  writer.u32(crc32c(writer.view()));
  return writer.finish();
}

/**
 * A reader of the body.
 *
 * @param what names the bytes in errors: the object's key.
 * @throws KarstError `CATALOGUE_CORRUPT` (`corrupt`), `CATALOGUE_VERSION` (`corrupt`): a newer version or an unknown feature.
 */
export function openFrame(kind: FrameKind, bytes: Uint8Array, what: string): PackedReader {
  const corrupt = (problem: string): Error => coreError("CATALOGUE_CORRUPT", `${what}: ${problem}`);
  if (bytes.length < FRAME_OVERHEAD_BYTES) throw corrupt(`${bytes.length} bytes are too few`);
  const end = bytes.length - CRC_BYTES;
  const stored = new PackedReader(bytes, what, end).u32();
  const found = crc32c(bytes.subarray(0, end));
  if (stored !== found)
    throw corrupt(`its CRC is ${stored.toString(16)}, its bytes have ${found.toString(16)}`);
  const reader = new PackedReader(bytes, what, 0, end);
  if (reader.u32() !== kind.magic) throw corrupt("not an object of its kind");
  const version = reader.u16();
  if (version === 0) throw corrupt("version 0");
  if (version > kind.version) {
    throw coreError(
      "CATALOGUE_VERSION",
      `${what}: version ${version} is newer than ${kind.version}`,
    );
  }
  const unknown = (reader.u32() & ~kind.features) >>> 0;
  if (unknown !== 0)
    throw coreError(
      "CATALOGUE_VERSION",
      `${what}: requires unknown features 0x${unknown.toString(16)}`,
    );
  return reader;
}
