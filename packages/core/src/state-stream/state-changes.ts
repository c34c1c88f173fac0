import { PackedReader } from "../catalogue/packed/reader.ts";
import { PackedWriter } from "../catalogue/packed/writer.ts";
import { asStateError, corruptState, type StateFrame } from "./state-frame.ts";

/** A key's new value; undefined: it has none any more. */
export interface StateChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

const OPERATIONS = ["put", "delete"] as const;

/** `changes := (1 key:blob value:blob | 2 key:blob)*`. Fresh bytes. */
export function encodeStateChanges(changes: Iterable<StateChange>): Uint8Array {
  const writer = new PackedWriter();
  for (const { key, value } of changes) {
    writer.u8(value === undefined ? 2 : 1);
    writer.blob(key);
    if (value !== undefined) writer.blob(value);
  }
  return writer.finish();
}

/** @throws KarstError `STATE_STREAM_CORRUPT` (`corrupt`). Keys and values are views of `bytes`. */
export function decodeStateChanges(bytes: Uint8Array, where: string): StateChange[] {
  return asStateError(where, () => {
    const reader = new PackedReader(bytes, where);
    const changes: StateChange[] = [];
    while (reader.remaining > 0) {
      const operation = reader.oneOf(OPERATIONS);
      const key = reader.blob();
      changes.push({ key, value: operation === "put" ? reader.blob() : undefined });
    }
    return changes;
  });
}

/** Cuts a write into parts; a write is whole when its last part is there. */
export function partsOf(changes: Uint8Array, partBytesMax: number): StateFrame[] {
  const frames: StateFrame[] = [];
  for (let at = 0; frames.length === 0 || at < changes.length; at += partBytesMax) {
    const last = at + partBytesMax >= changes.length;
    const bytes = changes.subarray(at, at + partBytesMax);
    frames.push({ tag: last ? "last part" : "part", part: frames.length, bytes });
  }
  return frames;
}

/**
 * Puts the parts of writes together again. A write without its last part was never acknowledged: a crash, or a refusal in its
 * middle, and the next write begins with part 0.
 */
export class WriteAssembler {
  #parts: Uint8Array[] = [];

  /** @returns the bytes of a write that is whole now. @throws KarstError `STATE_STREAM_CORRUPT` (`corrupt`). */
  add(frame: Exclude<StateFrame, { tag: "snapshot end" }>, where: string): Uint8Array | undefined {
    if (frame.part === 0) this.#parts = [];
    if (frame.part !== this.#parts.length)
      throw corruptState(`${where}: part ${frame.part} after ${this.#parts.length} parts`);
    // The frame's bytes are borrowed.
    this.#parts.push(frame.bytes.slice());
    if (frame.tag === "part") return undefined;
    const whole = joined(this.#parts);
    this.#parts = [];
    return whole;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const writer = new PackedWriter(parts.reduce((bytes, part) => bytes + part.length, 0));
  for (const part of parts) writer.raw(part);
  return writer.finish();
}
