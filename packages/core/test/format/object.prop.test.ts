import assert from "node:assert/strict";
import { concatBytes, crc32c, isKarstError } from "@karst/runtime";
import fc from "fast-check";
import { test } from "vitest";
import { Block, encodeBlock } from "../../src/format/object-block.ts";
import { decodeFooter, encodeFooter } from "../../src/format/object-footer.ts";
import { checkHeader, encodeHeader } from "../../src/format/object-header.ts";
import { type BlockEntry, ObjectIndex } from "../../src/format/object-index.ts";
import { FOOTER_BYTES, HEADER_BYTES } from "../../src/format/object-layout.ts";
import { encodeObject, type ObjectStreamInput } from "../../src/format/object-writer.ts";
import type { StreamBatch } from "../../src/stream/stream.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 200);

/** Batches with holes between them, from `start` on. */
function batchesFrom(start: number): fc.Arbitrary<readonly StreamBatch[]> {
  const one = fc.record({
    gap: fc.oneof(fc.constant(0), fc.nat(1_000_000)),
    count: fc.integer({ min: 1, max: 5000 }),
    maxTimestampMs: fc.oneof(fc.constant(-1), fc.nat(2 ** 42)),
    payload: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    repeat: fc.constantFrom(1, 1, 1, 200),
  });
  return fc.array(one, { maxLength: 12 }).map((parts) => {
    let offset = start;
    return parts.map(({ gap, count, maxTimestampMs, payload, repeat }) => {
      const baseOffset = offset + gap;
      offset = baseOffset + count;
      return {
        baseOffset,
        endOffset: offset,
        maxTimestampMs,
        payload: concatBytes(Array.from({ length: repeat }, () => payload)),
      };
    });
  });
}

const streamInput: fc.Arbitrary<ObjectStreamInput> = fc
  .record({
    streamId: fc.nat(2 ** 40),
    startOffset: fc.nat(2 ** 45),
    tail: fc.nat(10),
    state: fc.option(fc.uint8Array({ maxLength: 30 }), { nil: undefined }),
  })
  .chain(({ streamId, startOffset, tail, state }) =>
    batchesFrom(startOffset).map((batches) => {
      const endOffset = Math.max(
        (batches.at(-1)?.endOffset ?? startOffset) + tail,
        startOffset + 1,
      );
      return { streamId, startOffset, endOffset, batches, state };
    }),
  );

const objectInput = fc
  .uniqueArray(streamInput, { selector: (stream) => stream.streamId, maxLength: 6 })
  .map((streams) => streams.toSorted((a, b) => a.streamId - b.streamId));

interface OpenObject {
  readonly bytes: Uint8Array;
  readonly index: ObjectIndex;
}

function open(bytes: Uint8Array): OpenObject {
  checkHeader(bytes);
  const footer = decodeFooter(bytes, bytes.length);
  return {
    bytes,
    index: new ObjectIndex(
      bytes.subarray(footer.indexPosition, bytes.length - FOOTER_BYTES),
      footer,
    ),
  };
}

function blockOf(object: OpenObject, entry: BlockEntry): Block {
  return new Block(object.bytes.subarray(entry.position, entry.position + entry.bytes), entry);
}

function readStream(
  object: OpenObject,
  streamId: number,
  from: number,
  end: number,
): readonly StreamBatch[] {
  const batches: StreamBatch[] = [];
  let position = from;
  for (
    let i = object.index.findData(streamId, from);
    i !== undefined;
    i = object.index.nextData(i)
  ) {
    const entry = object.index.entry(i);
    assert.ok(entry.startOffset <= position && entry.endOffset > position);
    const block = blockOf(object, entry);
    for (let at = block.seek(from); at < block.bytes.length; at = block.next(at))
      batches.push(block.batch(at));
    position = entry.endOffset;
  }
  assert.equal(position, end);
  return batches;
}

const plain = (batches: readonly StreamBatch[]): unknown =>
  batches.map((batch) => ({ ...batch, payload: [...batch.payload] }));

test("what is encoded is read back, whole and from any offset, and the blocks tile each stream's range", () => {
  fc.assert(
    fc.property(
      objectInput,
      fc.constantFrom(1, 50, 1_000_000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (streams, blockBytes, where) => {
        const encoded = encodeObject(streams, { blockBytes });
        const bytes = concatBytes(encoded.parts);
        assert.equal(bytes.length, encoded.bytes);
        const object = open(bytes);
        assert.equal(object.index.length, encoded.entries.length);
        for (const stream of streams) {
          assert.deepEqual(
            plain(readStream(object, stream.streamId, stream.startOffset, stream.endOffset)),
            plain(stream.batches),
          );
          const from =
            stream.startOffset + Math.floor(where * (stream.endOffset - stream.startOffset));
          if (from < stream.endOffset) {
            const expected = stream.batches.filter((batch) => batch.endOffset > from);
            assert.deepEqual(
              plain(readStream(object, stream.streamId, from, stream.endOffset)),
              plain(expected),
            );
          }
          const state = object.index.findState(stream.streamId);
          assert.equal(
            state?.startOffset,
            stream.state === undefined ? undefined : stream.endOffset,
          );
          if (state !== undefined)
            assert.deepEqual(
              [...bytes.subarray(state.position, state.position + state.bytes)],
              [...(stream.state ?? [])],
            );
          assert.equal(object.index.findData(stream.streamId, stream.endOffset), undefined);
        }
      },
    ),
    { numRuns },
  );
});

test("a changed byte anywhere is found by a check before it is served", () => {
  fc.assert(
    fc.property(objectInput, fc.nat(), fc.integer({ min: 1, max: 255 }), (streams, where, xor) => {
      const bytes = concatBytes(encodeObject(streams, { blockBytes: 100 }).parts);
      const at = where % bytes.length;
      bytes[at] = (bytes[at] as number) ^ xor;
      assert.throws(
        () => {
          const object = open(bytes);
          for (let i = 0; i < object.index.length; i += 1) {
            const entry = object.index.entry(i);
            // A state block has no structure: its reader checks length and CRC alone.
            if (entry.kind === "data") blockOf(object, entry);
            else if (at >= entry.position && at < entry.position + entry.bytes)
              throw new StateTouched();
          }
        },
        (error) => error instanceof StateTouched || isKarstError(error, "corrupt"),
      );
    }),
    { numRuns },
  );
});

class StateTouched extends Error {}

test("any bytes parse or are refused as corrupt", () => {
  const mutated = fc
    .tuple(objectInput, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(20))
    .map(([streams, changes, cut]) => {
      const bytes = concatBytes(encodeObject(streams, { blockBytes: 100 }).parts);
      for (const [where, value] of changes) bytes[where % bytes.length] = value;
      return bytes.subarray(0, bytes.length - cut);
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
      try {
        open(bytes);
      } catch (error) {
        assert.ok(isKarstError(error, "corrupt"), String(error));
      }
    }),
    { numRuns },
  );
});

test("any index of a right CRC parses or is refused as corrupt", () => {
  const entries = fc.array(
    fc.array(fc.oneof(fc.constant(0), fc.nat(255), fc.constant(255)), {
      minLength: 60,
      maxLength: 60,
    }),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(entries, (rows) => {
      const index = Uint8Array.from(rows.flat());
      const crc = crc32c(index);
      const footer = {
        indexPosition: HEADER_BYTES,
        indexBytes: index.length,
        indexEntries: rows.length,
        indexCrc: crc,
      };
      assert.deepEqual(
        decodeFooter(encodeFooter(footer), HEADER_BYTES + index.length + FOOTER_BYTES),
        footer,
      );
      try {
        const opened = new ObjectIndex(index, footer);
        for (let i = 0; i < opened.length; i += 1)
          assert.ok(opened.entry(i).endOffset >= opened.entry(i).startOffset);
      } catch (error) {
        assert.ok(isKarstError(error, "corrupt"), String(error));
      }
    }),
    { numRuns },
  );
});

test("any block of a right CRC parses or is refused as corrupt", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const crc = crc32c(bytes);
      const entry: BlockEntry = {
        kind: "data",
        streamId: 1,
        startOffset: 0,
        endOffset: 2 ** 40,
        records: 1,
        position: 16,
        bytes: bytes.length,
        maxTimestampMs: -1,
        crc,
      };
      assert.throws(
        () => new Block(bytes, entry),
        (error) => isKarstError(error, "corrupt"),
      );
    }),
    { numRuns },
  );
});

test("large payloads are borrowed, small ones are copied", () => {
  const small: StreamBatch = {
    baseOffset: 0,
    endOffset: 1,
    maxTimestampMs: -1,
    payload: new Uint8Array(100).fill(1),
  };
  const large: StreamBatch = {
    baseOffset: 1,
    endOffset: 2,
    maxTimestampMs: -1,
    payload: new Uint8Array(10_000).fill(2),
  };
  const { parts } = encodeBlock([small, large, { ...small, baseOffset: 2, endOffset: 3 }]);
  assert.equal(parts.length, 3);
  assert.equal(parts[1], large.payload);
});

test("an object of a later version, or of unknown features, is refused as such", () => {
  const bytes = encodeHeader();
  const later = Uint8Array.from(bytes);
  later[5] = 2;
  const featured = Uint8Array.from(bytes);
  featured[11] = 1;
  for (const changed of [later, featured]) {
    new DataView(changed.buffer).setUint32(12, crc32c(changed.subarray(0, 12)));
    assert.throws(() => checkHeader(changed), { code: "OBJECT_VERSION" });
  }
});
