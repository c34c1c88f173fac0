import assert from "node:assert/strict";
import * as fc from "fast-check";
import { test } from "vitest";
import { crc32c, viewOf } from "@karst/runtime";
import {
  decodeStateBlock,
  encodeStateBlock,
  type PartitionSnapshot,
} from "../../src/partition/state-block.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 300);
const DURABLE = Promise.resolve();
const offset = fc.maxSafeNat();

/** Records with a prototype, as decoding makes them. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const sequence = fc.integer({ min: 0, max: 2 ** 31 - 1 });

const batch = plain({
  baseSequence: sequence,
  lastSequence: sequence,
  baseOffset: offset,
  logAppendTimeMs: fc.oneof(fc.constant(-1), offset),
  durable: fc.constant(DURABLE),
});

const snapshotArbitrary: fc.Arbitrary<PartitionSnapshot> = plain({
  endOffset: offset,
  epochs: fc.array(plain({ epoch: fc.nat(), startOffset: offset }), { maxLength: 5 }),
  producers: fc.array(
    fc.tuple(
      offset,
      plain({
        epoch: fc.integer({ min: 0, max: 32767 }),
        lastAppendMs: fc.maxSafeInteger(),
        batches: fc.array(batch, { minLength: 1, maxLength: 5 }),
      }),
    ),
    { maxLength: 5 },
  ),
  aborted: fc.array(plain({ producerId: offset, firstOffset: offset, lastOffset: offset }), {
    maxLength: 3,
  }),
});

test("what is encoded decodes to the same state", () => {
  fc.assert(
    fc.property(snapshotArbitrary, (snapshot) => {
      assert.deepEqual(decodeStateBlock(encodeStateBlock(snapshot)), snapshot);
    }),
    { numRuns: RUNS },
  );
});

test("every changed bit and every cut is found", () => {
  fc.assert(
    fc.property(
      snapshotArbitrary,
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (snapshot, at, bit) => {
        const block = encodeStateBlock(snapshot);
        const cut = block.subarray(0, at % block.length);
        assert.throws(() => decodeStateBlock(cut), { code: "STATE_BLOCK_CORRUPT" });
        const view = viewOf(block);
        const position = at % block.length;
        view.setUint8(position, view.getUint8(position) ^ (1 << bit));
        assert.throws(() => decodeStateBlock(block), { code: "STATE_BLOCK_CORRUPT" });
      },
    ),
    { numRuns: RUNS },
  );
});

test("any bytes with a matching CRC decode or are corrupt", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
      const block = new Uint8Array(10 + body.length + 4);
      const view = viewOf(block);
      view.setUint32(0, 0x4b505354);
      view.setUint16(4, 1);
      block.set(body, 10);
      view.setUint32(block.length - 4, crc32c(block.subarray(0, block.length - 4)));
      try {
        decodeStateBlock(block);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "STATE_BLOCK_CORRUPT");
      }
    }),
    { numRuns: RUNS * 4 },
  );
});

test("a newer version and an unknown feature refuse to open", () => {
  for (const change of [
    (view: DataView) => view.setUint16(4, 2),
    (view: DataView) => view.setUint32(6, 4),
  ]) {
    const block = encodeStateBlock({ endOffset: 5, epochs: [], producers: [], aborted: [] });
    const view = viewOf(block);
    change(view);
    view.setUint32(block.length - 4, crc32c(block.subarray(0, block.length - 4)));
    assert.throws(() => decodeStateBlock(block), { code: "STATE_BLOCK_CORRUPT", message: /known/ });
  }
});

test("version 1 in bytes", () => {
  const block = encodeStateBlock({
    endOffset: 300,
    epochs: [{ epoch: 1, startOffset: 0 }],
    producers: [
      [
        4242,
        {
          epoch: 2,
          lastAppendMs: 1000,
          batches: [
            {
              baseSequence: 7,
              lastSequence: 9,
              baseOffset: 297,
              logAppendTimeMs: -1,
              durable: DURABLE,
            },
          ],
        },
      ],
    ],
    aborted: [{ producerId: 5, firstOffset: 10, lastOffset: 20 }],
  });
  assert.equal(
    Buffer.from(block).toString("hex"),
    "4b50535400010000000000000000" + // magic, version, features, high half of the end
      "0000012c" +
      "00000001" +
      "00000001" +
      "0000000000000000" +
      "00000001" +
      "0000000000001092" +
      "0002" +
      "00000000000003e8" +
      "01" +
      "00000007" +
      "00000009" +
      "0000000000000129" +
      "ffffffffffffffff" +
      "00000001" +
      "0000000000000005" +
      "000000000000000a" +
      "0000000000000014" +
      crc32c(block.subarray(0, block.length - 4))
        .toString(16)
        .padStart(8, "0"),
  );
});
