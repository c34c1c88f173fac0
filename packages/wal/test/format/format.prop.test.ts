import assert from "node:assert/strict";
import { crc32c, isKarstError } from "@karst/runtime";
import fc from "fast-check";
import { test } from "vitest";
import {
  frameBytes,
  GROUP_HEADER_BYTES,
  groupSeed,
  readGroupHeader,
  walkFrames,
  writeFrame,
  writeGroupHeader,
} from "../../src/format/group.ts";
import { decodeIdentity, encodeIdentity } from "../../src/format/identity.ts";
import { fenceName, parseName, segmentName, temporaryName } from "../../src/format/names.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  segmentSeed,
} from "../../src/format/segment-header.ts";
import { memoryOf } from "../../src/group-buffer.ts";
import type { Frame } from "@karst/wal";

const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const count = fc.maxSafeNat();

const header = fc.record(
  {
    walId: id,
    epoch: count,
    base: count,
    epochBase: count,
    capacity: count,
    recycled: fc.boolean(),
    salt: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  },
  { noNullPrototype: true },
);

const identity = fc.record(
  {
    state: fc.constantFrom("created" as const, "opened" as const, "destroyed" as const),
    walId: id,
    nodeId: id,
    rootId: fc.string({ maxLength: 100, unit: "grapheme" }),
  },
  { noNullPrototype: true },
);

const frame: fc.Arbitrary<Frame> = fc.record(
  {
    streamId: count,
    streamEpoch: count,
    baseOffset: count,
    count: fc.nat(0xffff_ffff),
    maxTimestampMs: fc.maxSafeInteger(),
    // Anywhere in the buffer that it is a view of.
    payload: fc
      .tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(9))
      .map(([bytes, skip]) => bytes.subarray(Math.min(skip, bytes.length))),
  },
  { noNullPrototype: true },
);

function corruptOr<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    assert.ok(isKarstError(error, "corrupt"), String(error));
    return undefined;
  }
}

test("segment headers round-trip", () => {
  fc.assert(
    fc.property(header, (value) =>
      assert.deepEqual(decodeSegmentHeader(encodeSegmentHeader(value), "s"), value),
    ),
  );
});

test("identities round-trip", () => {
  fc.assert(
    fc.property(identity, (value) =>
      assert.deepEqual(decodeIdentity(encodeIdentity(value), "i"), value),
    ),
  );
});

test("any bytes are a header or an identity, or are corrupt", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
      corruptOr(() => decodeSegmentHeader(bytes, "s"));
      corruptOr(() => decodeIdentity(bytes, "i"));
    }),
  );
});

test("a header or identity with any one bit flipped is refused", () => {
  fc.assert(
    fc.property(header, identity, (someHeader, someIdentity) => {
      for (const [bytes, decode] of [
        [encodeSegmentHeader(someHeader), decodeSegmentHeader],
        [encodeIdentity(someIdentity), decodeIdentity],
      ] as const) {
        for (let bit = 0; bit < bytes.length * 8; bit += 1) {
          bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
          assert.equal(
            corruptOr(() => decode(bytes, "x")),
            undefined,
            `bit ${bit}`,
          );
          bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        }
      }
    }),
    { numRuns: 5 },
  );
});

interface Built {
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly seed: number;
}

function build(frames: readonly Frame[], base: number, seed: number, at = 0): Built {
  const length = frames.reduce((sum, one) => sum + frameBytes(one.payload), GROUP_HEADER_BYTES);
  const memory = memoryOf(new Uint8Array(at + length));
  let cursor = at + GROUP_HEADER_BYTES;
  for (const one of frames) {
    writeFrame(memory, cursor, one, cursor - at);
    cursor += frameBytes(one.payload);
  }
  assert.equal(cursor, at + length);
  const frameCount = frames.length;
  const body = memory.bytes.subarray(at + GROUP_HEADER_BYTES);
  const framesCrc = crc32c(body, groupSeed(seed, base));
  const header = { base, end: base + length, sequence: 9, watermark: base, frameCount, framesCrc };
  writeGroupHeader(memory, at, header, seed);
  return { bytes: memory.bytes, base, seed };
}

function read({ bytes, base, seed }: Built, at = 0): Frame[] | undefined {
  const memory = memoryOf(bytes);
  if (at + GROUP_HEADER_BYTES > bytes.length) return undefined;
  const group = readGroupHeader(memory, at, base, seed);
  const frames: Frame[] = [];
  const whole =
    group !== undefined &&
    walkFrames(memory, at, group, seed, ({ payloadAt, payloadEnd, end: _end, ...fields }) => {
      frames.push({ ...fields, payload: bytes.slice(payloadAt, payloadEnd) });
    });
  return whole ? frames : undefined;
}

const base = fc.maxSafeNat().map((value) => Math.floor(value / 2));
const seed = fc.nat(0xffff_ffff);

test("groups round-trip, wherever in memory they lie", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      base,
      seed,
      fc.nat(100),
      (frames, position, salt, at) => {
        assert.deepEqual(read(build(frames, position, salt, at), at), frames);
      },
    ),
  );
});

test("a group is refused at another position, with another seed, cut at any byte, or with any one bit flipped", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 3 }), base, seed, (frames, position, salt) => {
      const built = build(frames, position, salt);
      assert.equal(read({ ...built, base: position + 1 }), undefined);
      assert.equal(read({ ...built, seed: salt ^ 1 }), undefined);
      for (let length = 0; length < built.bytes.length; length += 1) {
        const torn = new Uint8Array(built.bytes.length);
        torn.set(built.bytes.subarray(0, length));
        const same = torn.every((byte, i) => byte === built.bytes[i]);
        if (!same) assert.equal(read({ ...built, bytes: torn }), undefined, `cut at ${length}`);
        assert.equal(read({ ...built, bytes: built.bytes.slice(0, length) }), undefined);
      }
      for (let bit = 0; bit < built.bytes.length * 8; bit += 1) {
        const flipped = built.bytes.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        assert.equal(
          corruptOr(() => read({ ...built, bytes: flipped })),
          undefined,
          `bit ${bit}`,
        );
      }
    }),
    { numRuns: 10 },
  );
});

test("any bytes are a group or are not", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      corruptOr(() => read({ bytes, base: 0, seed: 0 }));
    }),
  );
});

test("names round-trip, and nothing else is one of them", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      count,
      fc.string(),
      (epoch, position, other) => {
        assert.deepEqual(parseName(fenceName(epoch)), { tag: "fence", epoch });
        assert.deepEqual(parseName(segmentName(epoch, position)), {
          tag: "segment",
          epoch,
          base: position,
        });
        assert.deepEqual(parseName(temporaryName(segmentName(epoch, position))), {
          tag: "temporary",
        });
        assert.ok(
          ["unknown", "identity", "lock", "temporary"].includes(parseName(other).tag) ||
            /^(fence|segment)-/.test(other),
        );
      },
    ),
  );
  for (const name of [
    "fence-0",
    "fence-01",
    "fence-",
    "segment-1-0",
    "segment-000001-1",
    "segment-000001-00000000000000001",
    "fence-1 ",
    "Fence-1",
    "fence-99999999999999999",
  ]) {
    assert.deepEqual(parseName(name), { tag: "unknown" }, name);
  }
  assert.equal(
    segmentSeed(
      encodeSegmentHeader({
        walId: "0".repeat(32),
        epoch: 1,
        base: 0,
        epochBase: 0,
        capacity: 1,
        recycled: false,
        salt: new Uint8Array(8),
      }),
    ) > 0,
    true,
  );
  assert.equal(SEGMENT_HEADER_BYTES, 512);
});
