import type { Revision, Transaction } from "../catalogue.ts";
import { TRANSACTION_ID_LENGTH_MAX } from "../limits.ts";
import { isRowKey, KeyReader, KeyWriter } from "../packed/key-coding.ts";
import { isId, type PackedReader } from "../packed/reader.ts";
import { PackedWriter } from "../packed/writer.ts";

const ASCII = /^[\x21-\x7e]+$/;

/** @throws TypeError on a transaction that no catalogue could apply. */
export function checkTransaction(transaction: Transaction): void {
  const { id } = transaction;
  if (!ASCII.test(id) || id.length > TRANSACTION_ID_LENGTH_MAX)
    throw new TypeError(`${id} is not a transaction id`);
  const written = new Set<string>();
  for (const key of [...transaction.put.map((row) => row.key), ...transaction.delete]) {
    if (written.has(key)) throw new TypeError(`${key} is written twice`);
    written.add(checkKey(key));
  }
  for (const { key, revision } of transaction.require) {
    checkKey(key);
    if (revision !== "absent" && !(Number.isSafeInteger(revision) && revision > 0)) {
      throw new TypeError(`${revision} is not a revision`);
    }
  }
}

function checkKey(key: string): string {
  if (!isRowKey(key)) throw new TypeError(`${JSON.stringify(key.slice(0, 80))} is not a key`);
  return key;
}

/**
 * id; counts of required, put and deleted keys; then those: required key and revision varint (0: absent), put key and value
 * blob, deleted key. Keys are coded one against the other.
 */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  const writer = new PackedWriter();
  writeTransactionId(writer, transaction.id);
  writer.varint(transaction.require.length);
  writer.varint(transaction.put.length);
  writer.varint(transaction.delete.length);
  const keys = new KeyWriter(writer);
  for (const { key, revision } of transaction.require) {
    keys.write(key);
    writer.varint(revision === "absent" ? 0 : revision);
  }
  for (const { key, value } of transaction.put) {
    keys.write(key);
    writer.blob(value);
  }
  for (const key of transaction.delete) keys.write(key);
  return writer.finish();
}

/** Values are views of the bytes that are read. */
export function readTransaction(reader: PackedReader): Transaction {
  const id = readTransactionId(reader);
  const required = reader.count(3);
  const puts = reader.count(3);
  const deletes = reader.count(2);
  const keys = new KeyReader(reader);
  const transaction: Transaction = {
    id,
    require: Array.from({ length: required }, () => ({
      key: keys.read(),
      revision: readRevision(reader),
    })),
    put: Array.from({ length: puts }, () => ({ key: keys.read(), value: reader.blob() })),
    delete: Array.from({ length: deletes }, () => keys.read()),
  };
  try {
    checkTransaction(transaction);
  } catch (cause) {
    throw reader.corrupt("an impossible transaction", cause);
  }
  return transaction;
}

function readRevision(reader: PackedReader): Revision | "absent" {
  const revision = reader.varint();
  return revision === 0 ? "absent" : (revision as Revision);
}

/** Length varint and the text; 0 and 16 bytes where it is 32 hex digits, as minted ids are. */
export function writeTransactionId(writer: PackedWriter, id: string): void {
  if (isId(id)) {
    writer.varint(0);
    writer.id(id);
  } else {
    writer.text(id);
  }
}

export function readTransactionId(reader: PackedReader): string {
  const length = reader.varint();
  if (length === 0) return reader.id();
  const id = String.fromCharCode(
    ...reader.raw(length > TRANSACTION_ID_LENGTH_MAX ? reader.remaining + 1 : length),
  );
  if (!ASCII.test(id) || isId(id)) throw reader.corrupt("an impossible transaction id");
  return id;
}
