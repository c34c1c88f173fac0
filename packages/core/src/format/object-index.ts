import { crc32c, getInt64, setInt64, viewOf } from "@karst/runtime";
import { coreError } from "../errors.ts";
import type { ObjectFooter } from "./object-footer.ts";
import {
  CODEC_NONE,
  HEADER_BYTES,
  INDEX_ENTRY_BYTES,
  KIND_DATA,
  KIND_STATE,
} from "./object-layout.ts";

const KIND_AT = 56;
const CODEC_AT = 57;
const ZERO_AT = 58;

/** One block of an object. */
export interface BlockEntry {
  /** `data`: batches. `state`: the owner's state as of `startOffset`, which equals `endOffset`. */
  readonly kind: "data" | "state";
  readonly streamId: number;
  /** Logical range: may have holes and reach beyond the batches at either end. */
  readonly startOffset: number;
  readonly endOffset: number;
  /** Offsets that its batches occupy; 0 is legal. */
  readonly records: number;
  /** Of the block's first byte in the object. */
  readonly position: number;
  readonly bytes: number;
  /** -1: none. */
  readonly maxTimestampMs: number;
  /** CRC-32C of the block's bytes. */
  readonly crc: number;
}

/** Entries in index order: by stream, data before state, by start. */
export function encodeIndex(entries: readonly BlockEntry[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * INDEX_ENTRY_BYTES);
  const view = viewOf(bytes);
  let at = 0;
  for (const entry of entries) {
    setInt64(view, at, entry.streamId);
    setInt64(view, at + 8, entry.startOffset);
    setInt64(view, at + 16, entry.endOffset);
    setInt64(view, at + 24, entry.position);
    setInt64(view, at + 32, entry.maxTimestampMs);
    setInt64(view, at + 40, entry.records);
    view.setUint32(at + 48, entry.bytes);
    view.setUint32(at + 52, entry.crc);
    view.setUint8(at + KIND_AT, entry.kind === "data" ? KIND_DATA : KIND_STATE);
    view.setUint8(at + CODEC_AT, CODEC_NONE);
    at += INDEX_ENTRY_BYTES;
  }
  return bytes;
}

/**
 * The index of one object, kept in its encoded form: an object of ten thousand streams costs no ten thousand objects here.
 *
 * Invariants, checked when it is made: entries ascend by (stream, kind, start) and do not overlap; every block lies between
 * header and index. The blocks inside one reference's range tile it, which the reader of the reference checks.
 */
export class ObjectIndex {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly #view: DataView;

  /** @throws KarstError `OBJECT_CORRUPT`, `OBJECT_VERSION` (`corrupt`). */
  constructor(bytes: Uint8Array, footer: ObjectFooter) {
    if (bytes.length !== footer.indexBytes || crc32c(bytes) !== footer.indexCrc) {
      throw coreError("OBJECT_CORRUPT", "object index: wrong length or CRC");
    }
    this.bytes = bytes;
    this.length = footer.indexEntries;
    this.#view = viewOf(bytes);
    this.#check(footer.indexPosition);
  }

  entry(i: number): BlockEntry {
    const view = this.#view;
    const at = i * INDEX_ENTRY_BYTES;
    return {
      kind: view.getUint8(at + KIND_AT) === KIND_STATE ? "state" : "data",
      streamId: getInt64(view, at),
      startOffset: getInt64(view, at + 8),
      endOffset: getInt64(view, at + 16),
      position: getInt64(view, at + 24),
      maxTimestampMs: getInt64(view, at + 32),
      records: getInt64(view, at + 40),
      bytes: view.getUint32(at + 48),
      crc: view.getUint32(at + 52),
    };
  }

  /** Position in the index of the stream's first data block that ends above `offset`; undefined: none. */
  findData(streamId: number, offset: number): number | undefined {
    const i = this.#lowerBound((at) => {
      const id = getInt64(this.#view, at);
      if (id !== streamId) return id < streamId;
      return (
        this.#view.getUint8(at + KIND_AT) === KIND_DATA && getInt64(this.#view, at + 16) <= offset
      );
    });
    return this.#is(i, streamId, KIND_DATA) ? i : undefined;
  }

  /** The stream's next data block after position `i`; undefined: that was its last. */
  nextData(i: number): number | undefined {
    return this.#is(i + 1, getInt64(this.#view, i * INDEX_ENTRY_BYTES), KIND_DATA)
      ? i + 1
      : undefined;
  }

  /** The stream's latest state block; undefined: none. */
  findState(streamId: number): BlockEntry | undefined {
    const after = this.#lowerBound((at) => getInt64(this.#view, at) <= streamId);
    return after > 0 && this.#is(after - 1, streamId, KIND_STATE)
      ? this.entry(after - 1)
      : undefined;
  }

  #is(i: number, streamId: number, kind: number): boolean {
    const at = i * INDEX_ENTRY_BYTES;
    return (
      i < this.length &&
      getInt64(this.#view, at) === streamId &&
      this.#view.getUint8(at + KIND_AT) === kind
    );
  }

  /** First position whose entry is not `before`. */
  #lowerBound(before: (at: number) => boolean): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(middle * INDEX_ENTRY_BYTES)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #check(indexPosition: number): void {
    let previous: BlockEntry | undefined;
    for (let i = 0; i < this.length; i += 1) {
      const at = i * INDEX_ENTRY_BYTES;
      if (this.#view.getUint8(at + KIND_AT) > KIND_STATE) throw broken(i, "unknown kind");
      if (this.#view.getUint16(at + ZERO_AT) !== 0) throw broken(i, "reserved bytes are set");
      const codec = this.#view.getUint8(at + CODEC_AT);
      if (codec !== CODEC_NONE)
        throw coreError("OBJECT_VERSION", `object index entry ${i}: unknown codec ${codec}`);
      const entry = this.entry(i);
      const reason = fault(entry, previous, indexPosition);
      if (reason !== undefined) throw broken(i, reason);
      previous = entry;
    }
  }
}

function fault(
  entry: BlockEntry,
  previous: BlockEntry | undefined,
  indexPosition: number,
): string | undefined {
  if (entry.streamId < 0) return "negative stream id";
  if (entry.position < HEADER_BYTES || entry.position + entry.bytes > indexPosition)
    return "block outside the object";
  if (entry.maxTimestampMs < -1) return "timestamp below -1";
  if (entry.startOffset < 0) return "negative offset";
  const span = entry.endOffset - entry.startOffset;
  if (entry.records < 0) return "negative record count";
  if (
    entry.kind === "state" ? span !== 0 || entry.records !== 0 : span <= 0 || entry.records > span
  )
    return "impossible range";
  if (previous === undefined || previous.streamId < entry.streamId) return undefined;
  if (previous.streamId > entry.streamId) return "streams out of order";
  if (previous.kind === "state") {
    return entry.kind === "data" || previous.startOffset >= entry.startOffset
      ? "blocks out of order"
      : undefined;
  }
  return entry.kind === "data" && previous.endOffset > entry.startOffset
    ? "blocks overlap"
    : undefined;
}

function broken(i: number, reason: string): Error {
  return coreError("OBJECT_CORRUPT", `object index entry ${i}: ${reason}`);
}
