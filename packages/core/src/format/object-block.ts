import { crc32c, getInt64, setInt64, viewOf } from "@karst/runtime";
import { coreError } from "../errors.ts";
import type { StreamBatch } from "../stream/stream.ts";
import type { BlockEntry } from "./object-index.ts";
import { BATCH_HEADER_BYTES } from "./object-layout.ts";

// block := (base offset 8, count 4, payload bytes 4, max timestamp 8, payload)*

/** Payloads up to this size are copied beside their headers: one part fewer for the store to write. */
const COPIED_BYTES_MAX = 4096;

export interface EncodedBlock {
  /** The block's bytes, in order. Large payloads are borrowed views. */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly crc: number;
}

/** Bytes that encoding these batches copies. */
export function copiedBytes(batches: readonly StreamBatch[]): number {
  let bytes = 0;
  for (const { payload } of batches)
    bytes += BATCH_HEADER_BYTES + (payload.length <= COPIED_BYTES_MAX ? payload.length : 0);
  return bytes;
}

/** @param batches ascending and disjoint. */
export function encodeBlock(batches: readonly StreamBatch[]): EncodedBlock {
  const scratch = new Uint8Array(copiedBytes(batches));
  const view = viewOf(scratch);
  const parts: Uint8Array[] = [];
  let from = 0;
  let at = 0;
  let bytes = 0;
  const cut = (): void => {
    if (at > from) parts.push(scratch.subarray(from, at));
    from = at;
  };
  for (const batch of batches) {
    const { payload } = batch;
    setInt64(view, at, batch.baseOffset);
    view.setUint32(at + 8, batch.endOffset - batch.baseOffset);
    view.setUint32(at + 12, payload.length);
    setInt64(view, at + 16, batch.maxTimestampMs);
    at += BATCH_HEADER_BYTES;
    bytes += BATCH_HEADER_BYTES + payload.length;
    if (payload.length <= COPIED_BYTES_MAX) {
      scratch.set(payload, at);
      at += payload.length;
    } else {
      cut();
      parts.push(payload);
    }
  }
  cut();
  let crc = 0;
  for (const part of parts) crc = crc32c(part, crc);
  return { parts, bytes, crc };
}

/** A data block of known good structure: the batches are read from its bytes one by one. */
export class Block {
  readonly bytes: Uint8Array;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly #view: DataView;

  /**
   * Checks bytes read from a store against their index entry, whole, before anyone caches or serves them.
   *
   * @throws KarstError `OBJECT_CORRUPT` (`corrupt`).
   */
  constructor(bytes: Uint8Array, entry: BlockEntry) {
    if (bytes.length !== entry.bytes || crc32c(bytes) !== entry.crc)
      throw coreError("OBJECT_CORRUPT", "block: wrong length or CRC");
    this.bytes = bytes;
    this.startOffset = entry.startOffset;
    this.endOffset = entry.endOffset;
    this.#view = viewOf(bytes);
    this.#check(entry);
  }

  /** Position of the first batch that ends above `offset`; the block's length: none. */
  seek(offset: number): number {
    let at = 0;
    while (at < this.bytes.length && this.endAt(at) <= offset) at = this.next(at);
    return at;
  }

  next(at: number): number {
    return at + BATCH_HEADER_BYTES + this.#view.getUint32(at + 12);
  }

  endAt(at: number): number {
    return getInt64(this.#view, at) + this.#view.getUint32(at + 8);
  }

  maxTimestampAt(at: number): number {
    return getInt64(this.#view, at + 16);
  }

  payloadBytesAt(at: number): number {
    return this.#view.getUint32(at + 12);
  }

  /** The batch at a position; its payload is a view of the block. */
  batch(at: number): StreamBatch {
    return {
      baseOffset: getInt64(this.#view, at),
      endOffset: this.endAt(at),
      maxTimestampMs: this.maxTimestampAt(at),
      payload: this.bytes.subarray(at + BATCH_HEADER_BYTES, this.next(at)),
    };
  }

  #check(entry: BlockEntry): void {
    let at = 0;
    let offset = entry.startOffset;
    let records = 0;
    let maxTimestampMs = -1;
    while (at < this.bytes.length) {
      if (at + BATCH_HEADER_BYTES > this.bytes.length || this.next(at) > this.bytes.length) {
        throw coreError("OBJECT_CORRUPT", `block: batch at byte ${at} is cut off`);
      }
      const base = getInt64(this.#view, at);
      const end = this.endAt(at);
      if (base < offset || end <= base)
        throw coreError("OBJECT_CORRUPT", `block: batch at byte ${at} is out of order`);
      records += end - base;
      maxTimestampMs = Math.max(maxTimestampMs, this.maxTimestampAt(at));
      offset = end;
      at = this.next(at);
    }
    if (
      offset > entry.endOffset ||
      records !== entry.records ||
      maxTimestampMs !== entry.maxTimestampMs
    ) {
      throw coreError("OBJECT_CORRUPT", "block: batches do not add up to the index entry");
    }
  }
}
