import type { Transaction } from "../catalogue.ts";
import { beginFrame, endFrame, type FrameKind, openFrame } from "../packed/frame.ts";
import { entryKey } from "./object-keys.ts";
import { readTransaction } from "./transaction-codec.ts";

/** One object of the log: a group of transactions that happened one after the other, at one revision. */
export interface Entry {
  /** From 1; the revision that it makes. */
  readonly number: number;
  /** `id` of entry `number − 1`; zeros for the first. Ties each entry to one history. */
  readonly predecessor: string;
  /** 32 random hex digits: whoever finds them has found this entry and no other. */
  readonly id: string;
  readonly transactions: readonly Transaction[];
  /** Size of the object. */
  readonly bytes: number;
}

/** What the first entry names as its predecessor, and what an empty image stands at. */
export const NO_ENTRY: string = "0".repeat(32);

/** "KCLE". */
export const ENTRY_FRAME: FrameKind = { magic: 0x4b434c45, version: 1, features: 0 };

const TRANSACTION_BYTES_MIN = 5;

/** number varint, predecessor id, own id, count varint, the transactions. @param transactions already encoded. */
export function encodeEntry(
  head: Pick<Entry, "number" | "predecessor" | "id">,
  transactions: readonly Uint8Array[],
): Uint8Array {
  const capacity = transactions.reduce((sum, bytes) => sum + bytes.length, 128);
  const writer = beginFrame(ENTRY_FRAME, capacity);
  writer.varint(head.number);
  writer.id(head.predecessor);
  writer.id(head.id);
  writer.varint(transactions.length);
  for (const bytes of transactions) writer.raw(bytes);
  return endFrame(writer);
}

/**
 * The entry that `bytes` are, which were found at `number`.
 *
 * @throws KarstError `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`), naming the object.
 */
export function decodeEntry(bytes: Uint8Array, number: number): Entry {
  const reader = openFrame(ENTRY_FRAME, bytes, entryKey(number));
  const found = reader.varint();
  if (found !== number) throw reader.corrupt(`it says that it is entry ${found}`);
  const predecessor = reader.id();
  const id = reader.id();
  const transactions = Array.from({ length: reader.count(TRANSACTION_BYTES_MIN) }, () =>
    readTransaction(reader),
  );
  reader.finish();
  return { number, predecessor, id, transactions, bytes: bytes.length };
}
