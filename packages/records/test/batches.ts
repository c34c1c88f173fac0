import { utf8Decode, utf8Encode } from "@karst/runtime";
import * as fc from "fast-check";
import type { BatchOptions, DecodedRecord, RecordInput } from "@karst/records";

/** Runs per property; more with KARST_RUNS. */
export const RUNS: number = Number(process.env["KARST_RUNS"] ?? 300);

const field = fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null });
const headers = fc.array(
  fc.record({ key: fc.string({ unit: "binary", maxLength: 12 }), value: field }),
  {
    maxLength: 4,
  },
);

/** Within what two of them may differ by: the whole range is too wide for one batch. */
const timestamps = fc.oneof(
  fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }),
  fc.integer({ min: 1.6e12, max: 1.9e12 }),
);

export const recordArbitrary: fc.Arbitrary<RecordInput> = fc.record({
  timestampMs: timestamps,
  key: field,
  value: field,
  headers,
});

export const recordsArbitrary: fc.Arbitrary<RecordInput[]> = fc.array(recordArbitrary, {
  minLength: 1,
  maxLength: 30,
});

export const optionsArbitrary: fc.Arbitrary<BatchOptions> = fc.record(
  {
    codec: fc.constantFrom("none", "gzip", "snappy", "lz4", "zstd"),
    baseOffset: fc.integer({ min: 0, max: 2 ** 52 }),
    leaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
    producer: fc.record({
      id: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
      epoch: fc.integer({ min: 0, max: 32767 }),
      baseSequence: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    }),
    transactional: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** What decoding gives for records that were encoded. */
export function decodedForm(
  records: readonly RecordInput[],
  options: BatchOptions = {},
): DecodedRecord[] {
  return records.map((record, i) => ({
    offset: (options.baseOffset ?? 0) + i,
    timestampMs: options.logAppendTimeMs ?? record.timestampMs,
    key: record.key ?? null,
    value: record.value ?? null,
    headers: (record.headers ?? []).map(({ key, value }) => ({
      key: utf8Decode(utf8Encode(key)),
      value,
    })),
  }));
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
