import type { RecordInput as BatchRecord } from "@karst/records";
import { copyOf, utf8Encode } from "@karst/runtime";
import type { Codec } from "../api/codec.ts";
import type { Bytes, BytesInput, HeadersInput, RecordInput } from "../api/record.ts";
import { karstError } from "../errors.ts";

/** How one topic's records become bytes. */
export interface RecordCodecs<ValueInput, KeyInput> {
  readonly topic: string;
  readonly value: Codec<unknown, ValueInput>;
  readonly key: Codec<unknown, KeyInput>;
}

/** A bound of what a record and its lengths take in a batch, beside its key, value and headers. */
const RECORD_BYTES = 36;
const HEADER_BYTES = 10;

/**
 * A record as batches hold it. The caller's bytes are borrowed, and what a codec made is copied, as it may use its memory again.
 *
 * @throws KarstError `INVALID_APPEND`, `ENCODING_FAILED` (`invalid`).
 */
export function encodeRecord<ValueInput, KeyInput>(
  input: RecordInput<ValueInput, KeyInput>,
  codecs: RecordCodecs<ValueInput, KeyInput>,
  nowMs: number,
): BatchRecord {
  if (typeof input !== "object" || input === null) {
    throw karstError(
      "INVALID_APPEND",
      `a record is an object such as { value: "…" }, not ${show(input)}`,
    );
  }
  const timestampMs = input.timestampMs ?? nowMs;
  if (!Number.isSafeInteger(timestampMs) || timestampMs < -1) {
    throw karstError(
      "INVALID_APPEND",
      `timestampMs ${show(timestampMs)} is no time in milliseconds`,
    );
  }
  return {
    timestampMs,
    key: input.key == null ? null : encodePart(input.key, codecs.key, codecs.topic, "key"),
    value: encodePart(input.value, codecs.value, codecs.topic, "value"),
    headers: encodeHeaders(input.headers),
  };
}

/** The record with nothing borrowed. */
export function ownedRecord(record: BatchRecord): BatchRecord {
  const { timestampMs, key, value, headers } = record;
  return {
    timestampMs,
    key: key && copyOf(key),
    value: value && copyOf(value),
    headers: headers?.map((header) => ({
      key: header.key,
      value: header.value && copyOf(header.value),
    })),
  };
}

/** At least the bytes that the record takes in a batch. */
export function recordBytes(record: BatchRecord): number {
  let bytes = RECORD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const header of record.headers ?? []) {
    // A UTF-16 unit takes at most three bytes.
    bytes += HEADER_BYTES + header.key.length * 3 + (header.value?.length ?? 0);
  }
  return bytes;
}

function encodePart<Input>(
  input: Input,
  codec: Codec<unknown, Input>,
  topic: string,
  part: "key" | "value",
): Bytes {
  let encoded: BytesInput;
  try {
    encoded = codec.encode(input, { topic, part });
  } catch (cause) {
    throw karstError(
      "ENCODING_FAILED",
      `${part} of a record for ${topic}: ${messageOf(cause)}`,
      cause,
    );
  }
  const bytes = toBytes(encoded, part);
  return bytes !== null && bytes === encoded && encoded !== input ? copyOf(bytes) : bytes;
}

function encodeHeaders(headers: HeadersInput | undefined): BatchRecord["headers"] {
  if (headers === undefined) return undefined;
  const list = Array.isArray(headers)
    ? (headers as readonly { readonly key: string; readonly value: BytesInput }[])
    : Object.entries(headers as Readonly<Record<string, BytesInput>>).map(([key, value]) => ({
        key,
        value,
      }));
  if (list.length === 0) return undefined;
  return list.map(({ key, value }) => {
    if (typeof key !== "string")
      throw karstError("INVALID_APPEND", `header key ${show(key)} is no text`);
    return { key, value: toBytes(value, `header ${key}`) };
  });
}

function toBytes(value: BytesInput, what: string): Bytes {
  if (value === null) return null;
  if (typeof value === "string") return utf8Encode(value);
  if (value instanceof Uint8Array) return value;
  throw karstError(
    "INVALID_APPEND",
    `${what} is ${show(value)}: give text, a Uint8Array, or null; a codec makes bytes of other values`,
  );
}

function show(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
