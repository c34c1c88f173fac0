import assert from "node:assert/strict";
import { concatBytes, isKarstError } from "@karst/runtime";
import fc from "fast-check";
import { test } from "vitest";
import {
  decodeStateChanges,
  encodeStateChanges,
  partsOf,
  type StateChange,
  WriteAssembler,
} from "../../src/state-stream/state-changes.ts";
import {
  decodeStateFrame,
  encodeStateFrame,
  type StateFrame,
} from "../../src/state-stream/state-frame.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 300);
const bytes = fc.uint8Array({ maxLength: 60 });
const changes: fc.Arbitrary<StateChange[]> = fc.array(
  fc.record({ key: bytes, value: fc.option(bytes, { nil: undefined }) }, { noNullPrototype: true }),
  { maxLength: 8 },
);
const frame: fc.Arbitrary<StateFrame> = fc.oneof(
  fc.record(
    {
      tag: fc.constantFrom("last part" as const, "part" as const),
      part: fc.nat(500),
      bytes,
    },
    { noNullPrototype: true },
  ),
  fc.record(
    { tag: fc.constant("snapshot end" as const), from: fc.maxSafeNat() },
    { noNullPrototype: true },
  ),
);

test("frames and changes round-trip", () => {
  fc.assert(
    fc.property(frame, changes, (one, list) => {
      assert.deepEqual(decodeStateFrame(encodeStateFrame(one), "here"), one);
      assert.deepEqual(decodeStateChanges(encodeStateChanges(list), "here"), list);
    }),
    { numRuns },
  );
});

test("a damaged frame is refused, and any bytes are a frame or corrupt", () => {
  fc.assert(
    fc.property(frame, fc.nat(), fc.integer({ min: 1, max: 255 }), bytes, (one, at, flip, any) => {
      const whole = encodeStateFrame(one);
      whole[at % whole.length] = (whole[at % whole.length] ?? 0) ^ flip;
      assert.throws(() => decodeStateFrame(whole, "here"), { kind: "corrupt", message: /here/ });
      for (const decode of [decodeStateFrame, decodeStateChanges]) {
        try {
          decode(any, "there");
        } catch (error) {
          assert(isKarstError(error, "corrupt"), String(error));
        }
      }
    }),
    { numRuns },
  );
});

test("parts make the write again; a write that was left unfinished is forgotten", () => {
  fc.assert(
    fc.property(
      bytes,
      bytes,
      fc.integer({ min: 1, max: 20 }),
      fc.nat(),
      (first, second, max, cut) => {
        const writes = new WriteAssembler();
        const add = (part: StateFrame): Uint8Array | undefined => {
          assert(part.tag !== "snapshot end");
          return writes.add(part, "here");
        };
        const unfinished = partsOf(first, max).slice(0, -1);
        for (const part of unfinished.slice(0, cut % (unfinished.length + 1)))
          assert.equal(add(part), undefined);
        const parts = partsOf(second, max);
        assert.equal(parts.filter(({ tag }) => tag === "last part").length, 1);
        const whole = parts.flatMap((part) => add(part) ?? []);
        assert.deepEqual(concatBytes(whole), second);
      },
    ),
    { numRuns },
  );
});

test("a part without those before it is corrupt", () => {
  const writes = new WriteAssembler();
  const part = { tag: "part", part: 1, bytes: new Uint8Array() } as const;
  assert.throws(() => writes.add(part, "here"), { code: "STATE_STREAM_CORRUPT" });
});
