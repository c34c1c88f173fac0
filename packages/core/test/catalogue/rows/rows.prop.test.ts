import assert from "node:assert/strict";
import {
  CATALOGUE_ROWS,
  rangeAt,
  rangesOf,
  rangeTable,
  type ObjectRange,
  type RowKind,
} from "@karst/core";
import { isKarstError } from "@karst/runtime";
import fc from "fast-check";
import { describe, test } from "vitest";

const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
const numRuns = Number(process.env["KARST_RUNS"] ?? 300);
const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const number = fc.oneof(fc.nat(1000), fc.maxSafeNat());
const keyNumber = number.map((n) => Math.min(n, Number.MAX_SAFE_INTEGER - 1));
const text = fc.string({ unit: "grapheme", maxLength: 40 });

const range: fc.Arbitrary<ObjectRange> = record({
  streamId: fc.oneof(fc.nat(5), keyNumber),
  sourceStreamId: fc.oneof(fc.nat(5), keyNumber),
  start: fc.oneof(
    fc.nat(50),
    fc.maxSafeNat().map((n) => Math.max(0, n - 2000)),
  ),
  end: fc.integer({ min: 1, max: 1000 }),
  records: fc.nat(0xffff_ffff),
  bytes: number,
  maxTimestampMs: fc.oneof(fc.constant(-1), keyNumber),
});

/** Ranges as an object may have them: those that overlap one before them are left out. */
const ranges = fc.array(range, { maxLength: 30 }).map((drawn) => {
  const taken: ObjectRange[] = [];
  for (const one of drawn) {
    const whole = { ...one, end: one.start + one.end };
    const free = taken.every(
      (t) => t.streamId !== whole.streamId || t.end <= whole.start || whole.end <= t.start,
    );
    if (free) taken.push(whole);
  }
  return taken;
});

function kind<Id, Value>(
  row: RowKind<Id, Value>,
  ids: fc.Arbitrary<Id>,
  values: fc.Arbitrary<Value>,
): RowCase {
  return {
    prefix: row.prefix,
    ordinal: row.ordinal,
    keys: ids.map((one) => row.key(one)),
    decode: (bytes) => row.decode(bytes),
    roundTrip: () => {
      fc.assert(
        fc.property(ids, values, (one, value) => {
          assert.deepEqual(row.parseKey(row.key(one)), one);
          assert.match(row.key(one), /^[A-Za-z0-9._/-]+$/);
          const bytes = row.encode(value);
          assert.deepEqual(row.decode(bytes), value);
          assert.deepEqual(row.encode(row.decode(bytes)), bytes);
        }),
        { numRuns },
      );
    },
    anyBytes: () => {
      const damaged = fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
        const bytes = row.encode(value);
        bytes[at % bytes.length] = byte;
        return bytes;
      });
      const cut = fc
        .tuple(values, fc.nat())
        .map(([value, length]) => row.encode(value).subarray(0, length % 60));
      const prefixed = fc
        .uint8Array({ maxLength: 60 })
        .map((bytes) => Uint8Array.from([row.ordinal, 1, ...bytes]));
      fc.assert(
        fc.property(fc.oneof(damaged, cut, prefixed, fc.uint8Array()), (bytes) => {
          try {
            const value = row.decode(bytes);
            assert.deepEqual(row.encode(value), bytes, "what decodes is what encode writes");
          } catch (error) {
            assert(isKarstError(error, "corrupt"), String(error));
          }
        }),
        { numRuns },
      );
    },
  };
}

interface RowCase {
  readonly prefix: string;
  readonly ordinal: number;
  readonly keys: fc.Arbitrary<string>;
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly roundTrip: () => void;
  readonly anyBytes: () => void;
}

const rows = CATALOGUE_ROWS;
const cases: Record<keyof typeof rows, RowCase> = {
  root: kind(
    rows.root,
    fc.constant("root" as const),
    record({ rootId: id, formatVersion: number, features: fc.nat(0xffff_ffff), createdMs: number }),
  ),
  node: kind(
    rows.node,
    id,
    record({
      epoch: number,
      state: fc.oneof(
        fc.constant({ tag: "open" as const }),
        id.map((by) => ({ tag: "recovering" as const, by })),
        fc.constant({ tag: "closed" as const }),
      ),
      wals: fc.array(
        record({
          walId: id,
          kind: fc.constantFrom("file" as const, "memory" as const, "object" as const),
          location: text,
          epoch: number,
          trim: number,
          state: fc.constantFrom("active" as const, "sealed" as const, "drained" as const),
        }),
        { maxLength: 4 },
      ),
      lastTx: id,
      decidedSeq: number,
    }),
  ),
  counter: kind(
    rows.counter,
    fc.constantFrom("streams" as const, "topics" as const, "producer-ids" as const),
    record({ next: number }),
  ),
  topic: kind(
    rows.topic,
    id,
    record({
      name: text,
      partitions: fc.array(keyNumber, { maxLength: 20 }),
      configs: fc
        .dictionary(text, text, { maxKeys: 5 })
        .map(
          (configs) => new Map(Object.entries(configs).toSorted(([a], [b]) => (a < b ? -1 : 1))),
        ),
      createdMs: number,
    }),
  ),
  streamStart: kind(
    rows.streamStart,
    keyNumber,
    fc
      .tuple(number, number)
      .map(([a, b]) => ({ offset: Math.max(a, b), deadBefore: Math.min(a, b) })),
  ),
  streamEnd: kind(
    rows.streamEnd,
    keyNumber,
    record({
      offset: number,
      stateObject: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
    }),
  ),
  streamOwner: kind(
    rows.streamOwner,
    keyNumber,
    record({ streamEpoch: number, nodeId: fc.option(id, { nil: undefined }) }),
  ),
  object: kind(
    rows.object,
    record({ nodeId: id, nodeEpoch: keyNumber, sequence: keyNumber }),
    record({
      kind: fc.constantFrom("stream-set" as const, "stream" as const),
      bytes: number,
      indexPosition: number,
      indexBytes: number,
      ranges: ranges.map((list) => rangeTable(list)),
    }),
  ),
  stateStream: kind(
    rows.stateStream,
    fc.constantFrom("groups" as const, "transactions" as const),
    record({ streamId: keyNumber }),
  ),
};

for (const [name, row] of Object.entries(cases)) {
  describe(`${name}`, () => {
    test("keys and values round-trip", () => {
      assert.doesNotThrow(row.roundTrip);
    });
    test("any bytes decode to what encodes to them, or throw corrupt", () => {
      assert.doesNotThrow(row.anyBytes);
    });
    test("a newer version is refused by name", () => {
      assert.throws(() => row.decode(Uint8Array.from([row.ordinal, 2])), {
        code: "CATALOGUE_VERSION",
      });
    });
  });
}

test("ordinals are distinct, and every key is of exactly one kind", () => {
  assert.equal(
    new Set(Object.values(rows).map((row) => row.ordinal)).size,
    Object.keys(rows).length,
  );
  for (const [name, row] of Object.entries(cases)) {
    fc.assert(
      fc.property(row.keys, (key) => {
        const owners = Object.entries(rows).filter(
          ([, other]) => other.parseKey(key) !== undefined,
        );
        assert.deepEqual(
          owners.map(([owner]) => owner),
          [name],
        );
      }),
      { numRuns: 20 },
    );
  }
});

test("key order is numeric order", () => {
  fc.assert(
    fc.property(keyNumber, keyNumber, (a, b) => {
      const [keyA, keyB] = [rows.streamEnd.key(a), rows.streamEnd.key(b)];
      assert.equal(keyA < keyB, a < b);
    }),
  );
});

test("a table gives back its ranges, by stream and offset", () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const table = rangeTable(list);
      const sorted = list.toSorted((a, b) => a.streamId - b.streamId || a.start - b.start);
      assert.deepEqual(
        sorted.map((_, i) => rangeAt(table, i)),
        sorted,
      );
      for (const one of list) {
        const { first, last } = rangesOf(table, one.streamId);
        const found = sorted.slice(first, last);
        assert.deepEqual(
          found,
          sorted.filter((other) => other.streamId === one.streamId),
        );
      }
    }),
    { numRuns },
  );
});

test("a table refuses empty and overlapping ranges", () => {
  const one: ObjectRange = {
    streamId: 1,
    sourceStreamId: 1,
    start: 5,
    end: 9,
    records: 4,
    bytes: 100,
    maxTimestampMs: -1,
  };
  assert.throws(() => rangeTable([{ ...one, end: 5 }]), TypeError);
  assert.throws(() => rangeTable([one, { ...one, start: 8, end: 12 }]), TypeError);
  assert.throws(() => rangeTable([{ ...one, records: 2 ** 32 }]), TypeError);
  assert.equal(rangeTable([{ ...one, start: 9, end: 12 }, one]).count, 2);
});

test("ten thousand ranges of an upload take about ten bytes each", () => {
  const list = Array.from({ length: 10_000 }, (_, i) => ({
    streamId: i * 3,
    sourceStreamId: i * 3,
    start: 1_000_000 + i,
    end: 1_000_020 + i,
    records: 20,
    bytes: 1_600,
    maxTimestampMs: 1_760_000_000_000 + (i % 5_000),
  }));
  const bytes = rows.object.encode({
    kind: "stream-set",
    bytes: 16_000_000,
    indexPosition: 15_000_000,
    indexBytes: 400_000,
    ranges: rangeTable(list),
  });
  assert(bytes.length < 120_000, `${bytes.length} bytes`);
});
