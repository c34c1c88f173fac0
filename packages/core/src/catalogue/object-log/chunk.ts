import type { CatalogueRow, Revision } from "../catalogue.ts";
import type { RecentSnapshot } from "../image/recent-transactions.ts";
import {
  FRAME_OVERHEAD_BYTES,
  beginFrame,
  endFrame,
  type FrameKind,
  openFrame,
} from "../packed/frame.ts";
import { KeyReader, KeyWriter } from "../packed/key-coding.ts";
import type { PackedWriter } from "../packed/writer.ts";
import { readTransactionId, writeTransactionId } from "./transaction-codec.ts";

/** "KCSC": rows of a snapshot. */
export const CHUNK_FRAME: FrameKind = { magic: 0x4b435343, version: 1, features: 0 };

/** "KCSR": the recent transactions of a snapshot. */
export const RECENT_FRAME: FrameKind = { magic: 0x4b435352, version: 1, features: 0 };

const TRANSACTION_BYTES_MIN = 3;

/** Fills one chunk: rows in key order until the frame ends; per row its key, coded against the one before, revision varint, value blob. */
export class ChunkWriter {
  readonly #writer: PackedWriter = beginFrame(CHUNK_FRAME, 4096);
  readonly #keys: KeyWriter = new KeyWriter(this.#writer);
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#writer.length;
  }

  add(row: CatalogueRow): void {
    this.#keys.write(row.key);
    this.#writer.varint(row.revision);
    this.#writer.blob(row.value);
    this.#rows += 1;
  }

  finish(): Uint8Array {
    return endFrame(this.#writer);
  }
}

/**
 * The rows of a chunk, decoded as they are taken; values are views of `bytes`.
 *
 * @throws KarstError `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`), naming `what`.
 */
export function* decodeChunk(bytes: Uint8Array, what: string): Iterable<CatalogueRow> {
  const reader = openFrame(CHUNK_FRAME, bytes, what);
  const keys = new KeyReader(reader);
  let previous = "";
  while (reader.remaining > 0) {
    const key = keys.read();
    if (key <= previous) throw reader.corrupt("rows out of order");
    const revision = reader.varint() as Revision;
    yield { key, value: reader.blob(), revision };
    previous = key;
  }
}

/** completeFrom varint, count varint, then per transaction, oldest first: revision (minus the one before) varint, id. */
export function encodeRecent(recent: RecentSnapshot): Uint8Array {
  const writer = beginFrame(RECENT_FRAME, FRAME_OVERHEAD_BYTES + 20 * recent.transactions.length);
  writer.varint(recent.completeFrom);
  writer.varint(recent.transactions.length);
  let previous = 0;
  for (const [id, revision] of recent.transactions) {
    writer.varint(revision - previous);
    writeTransactionId(writer, id);
    previous = revision;
  }
  return endFrame(writer);
}

/** @throws KarstError `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`), naming `what`. */
export function decodeRecent(bytes: Uint8Array, what: string): RecentSnapshot {
  const reader = openFrame(RECENT_FRAME, bytes, what);
  const completeFrom = reader.varint();
  let revision = 0;
  const transactions = Array.from({ length: reader.count(TRANSACTION_BYTES_MIN) }, () => {
    revision += reader.varint();
    if (!Number.isSafeInteger(revision)) throw reader.corrupt("a revision above the safe integers");
    return [readTransactionId(reader), revision] as const;
  });
  reader.finish();
  return { completeFrom, transactions };
}
