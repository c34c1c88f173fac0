import assert from "node:assert/strict";
import type { CatalogueRow, Revision, Transaction } from "@karst/core";
import { crc32c, isKarstError, viewOf } from "@karst/runtime";
import fc from "fast-check";
import { describe, test } from "vitest";
import {
  ChunkWriter,
  decodeChunk,
  decodeRecent,
  encodeRecent,
} from "../../../src/catalogue/object-log/chunk.ts";
import { decodeEntry, encodeEntry, type Entry } from "../../../src/catalogue/object-log/entry.ts";
import {
  decodeManifest,
  encodeManifest,
  type Manifest,
} from "../../../src/catalogue/object-log/manifest.ts";
import type { RecentSnapshot } from "../../../src/catalogue/image/recent-transactions.ts";
import { encodeTransaction } from "../../../src/catalogue/object-log/transaction-codec.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 200);

const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const transactionId = fc.oneof(id, fc.stringMatching(/^[!-~]{1,64}$/));
const key = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._/-]{1,40}$/),
  fc.nat(99).map((n) => `streams/end/${n}`),
  fc.constant("x".repeat(512)),
);
const number = fc.oneof(
  fc.integer({ min: 1, max: 100 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);
const revision = number.map((n) => n as Revision);
const bytes = fc.uint8Array({ maxLength: 50 });

const transaction: fc.Arbitrary<Transaction> = fc
  .tuple(
    transactionId,
    fc.array(record({ key, revision: fc.oneof(revision, fc.constant("absent" as const)) }), {
      maxLength: 4,
    }),
    fc.uniqueArray(fc.tuple(key, fc.option(bytes, { nil: undefined })), {
      maxLength: 8,
      selector: ([k]) => k,
    }),
  )
  .map(([tx, require, writes]) => ({
    id: tx,
    require,
    put: writes.flatMap(([k, value]) => (value === undefined ? [] : [{ key: k, value }])),
    delete: writes.flatMap(([k, value]) => (value === undefined ? [k] : [])),
  }));

const chunk = record({ ordinal: fc.constant(1), id, bytes: number, crc: fc.nat(0xffff_ffff) });

interface Format<Value> {
  readonly values: fc.Arbitrary<Value>;
  readonly encode: (value: Value) => Uint8Array;
  readonly decode: (encoded: Uint8Array) => Value;
}

const NUMBER = 7;

const formats = {
  entry: format<Pick<Entry, "predecessor" | "id" | "transactions">>({
    values: record({ predecessor: id, id, transactions: fc.array(transaction, { maxLength: 4 }) }),
    encode: (entry) =>
      encodeEntry({ ...entry, number: NUMBER }, entry.transactions.map(encodeTransaction)),
    decode: (encoded) => {
      const { predecessor, id: own, transactions, ...rest } = decodeEntry(encoded, NUMBER);
      assert.deepEqual(rest, { number: NUMBER, bytes: encoded.length });
      return { predecessor, id: own, transactions };
    },
  }),
  manifest: format<Manifest>({
    values: record({
      ordinal: fc.constant(NUMBER),
      revision,
      entryId: id,
      recent: chunk,
      chunks: fc
        .uniqueArray(record({ ...chunkFields(), from: key, rows: number }), {
          maxLength: 5,
          selector: (one) => one.from,
        })
        .map((list) =>
          list
            .toSorted((a, b) => (a.from < b.from ? -1 : 1))
            .map((one, i) => (i === 0 ? { ...one, from: "" } : one)),
        ),
    }),
    encode: encodeManifest,
    decode: (encoded) => decodeManifest(encoded, NUMBER),
  }),
  chunk: format<readonly CatalogueRow[]>({
    values: fc
      .uniqueArray(record({ key, value: bytes, revision }), {
        maxLength: 30,
        selector: (row) => row.key,
      })
      .map((rows) => rows.toSorted((a, b) => (a.key < b.key ? -1 : 1))),
    encode: (rows) => {
      const writer = new ChunkWriter();
      for (const row of rows) writer.add(row);
      return writer.finish();
    },
    decode: (encoded) => [...decodeChunk(encoded, "a chunk")],
  }),
  "recent transactions": format<RecentSnapshot>({
    values: record({
      completeFrom: number,
      transactions: fc
        .uniqueArray(fc.tuple(transactionId, fc.nat(1_000)), {
          maxLength: 20,
          selector: ([tx]) => tx,
        })
        .map((list) => list.toSorted(([, a], [, b]) => a - b)),
    }),
    encode: encodeRecent,
    decode: (encoded) => decodeRecent(encoded, "recent"),
  }),
};

function chunkFields(): {
  ordinal: fc.Arbitrary<number>;
  id: fc.Arbitrary<string>;
  bytes: fc.Arbitrary<number>;
  crc: fc.Arbitrary<number>;
} {
  return {
    ordinal: fc.integer({ min: 1, max: NUMBER }),
    id,
    bytes: number,
    crc: fc.nat(0xffff_ffff),
  };
}

function format<Value>(one: Format<Value>): Format<unknown> {
  return one as unknown as Format<unknown>;
}

/** The CRC of the bytes before it, as whoever wrote them on purpose would have set it. */
function withCrc(encoded: Uint8Array): Uint8Array {
  viewOf(encoded).setUint32(encoded.length - 4, crc32c(encoded.subarray(0, -4)));
  return encoded;
}

for (const [name, { values, encode, decode }] of Object.entries(formats)) {
  describe(`${name}`, () => {
    test("round-trips", () => {
      fc.assert(
        fc.property(values, (value) => {
          const encoded = encode(value);
          assert.deepEqual(decode(encoded), value);
          assert.deepEqual(encode(decode(encoded)), encoded);
        }),
        { numRuns },
      );
    });

    test("any flipped bit and any cut is corrupt", () => {
      fc.assert(
        fc.property(values, fc.nat(), fc.nat(7), (value, at, bit) => {
          const encoded = encode(value);
          const flipped = Uint8Array.from(encoded);
          const index = at % flipped.length;
          flipped[index] = (flipped[index] as number) ^ (1 << bit);
          assert.throws(() => decode(flipped), { code: "CATALOGUE_CORRUPT" });
          assert.throws(() => decode(encoded.subarray(0, index)), { code: "CATALOGUE_CORRUPT" });
        }),
        { numRuns },
      );
    });

    test("any body under a good CRC decodes to what encodes to it, or is corrupt", () => {
      const damaged = fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
        const encoded = encode(value);
        if (encoded.length > 14) encoded[10 + (at % (encoded.length - 14))] = byte;
        return withCrc(encoded);
      });
      const made = fc.tuple(values, fc.uint8Array({ maxLength: 60 })).map(([value, body]) => {
        return withCrc(Uint8Array.from([...encode(value).subarray(0, 10), ...body, 0, 0, 0, 0]));
      });
      fc.assert(
        fc.property(fc.oneof(damaged, made), (encoded) => {
          let value: unknown;
          try {
            value = decode(encoded);
          } catch (error) {
            assert(isKarstError(error, "corrupt"), String(error));
            return;
          }
          assert.deepEqual(encode(value), encoded);
        }),
        { numRuns: numRuns * 2 },
      );
    });

    test("a newer version and an unknown feature are refused by name", () => {
      fc.assert(
        fc.property(values, fc.nat(31), (value, bit) => {
          const newer = encode(value);
          viewOf(newer).setUint16(4, 2);
          assert.throws(() => decode(withCrc(newer)), { code: "CATALOGUE_VERSION" });
          const featured = encode(value);
          viewOf(featured).setUint32(6, 2 ** bit);
          assert.throws(() => decode(withCrc(featured)), { code: "CATALOGUE_VERSION" });
        }),
        { numRuns: 40 },
      );
    });
  });
}
