import assert from "node:assert/strict";
import { concatBytes } from "@karst/runtime";
import { FRAME_GROWTH, FRAME_STEP_BYTES, FrameAssembler } from "@karst/kafka-protocol";
import fc from "fast-check";
import { test } from "vitest";
import { runs } from "../support/runs.ts";

const frameBytes = fc
  .oneof(
    { weight: 6, arbitrary: fc.integer({ min: 4, max: 60 }) },
    { weight: 1, arbitrary: fc.integer({ min: 15_000, max: 300_000 }) },
  )
  .map((length) => new Uint8Array(length).map((_, i) => (i * 31 + length) & 0xff));

test("any cutting of any frames gives the same frames, in bounded memory", () => {
  const chunkBytes = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 70_000 }));
  fc.assert(
    fc.property(
      fc.array(frameBytes, { maxLength: 6 }),
      fc.array(chunkBytes, { minLength: 1 }),
      (frames, cuts) => {
        const stream = concatBytes(frames.flatMap((frame) => [lengthOf(frame), frame]));
        const seen: Uint8Array[] = [];
        let handedOver = 0;
        let reserved = 0;
        let frameBegan = 0;
        let at = 0;
        const assembler = new FrameAssembler({
          onFrame: ({ bytes, held }) => {
            seen.push(Uint8Array.from(bytes));
            if (held === "owned") handedOver += bytes.length;
            frameBegan += 4 + bytes.length;
          },
          reserve: (bytes) => {
            reserved += bytes;
            return true;
          },
          release: (bytes) => {
            reserved -= bytes;
          },
          frameBytesMin: 4,
        });
        assembler.trust();
        for (let i = 0; at < stream.length; i += 1) {
          // Small cuts only near the frames' beginnings, lest large streams take a million pushes.
          const cut = cuts[i % cuts.length] ?? 1;
          const bytes = at - frameBegan > 1000 ? Math.max(cut, 5000) : cut;
          const chunk = Uint8Array.from(stream.subarray(at, at + bytes));
          assembler.push(chunk);
          chunk.fill(0xee);
          at += chunk.length;
          const arrived = Math.max(0, at - frameBegan - 4);
          assert.equal(reserved, handedOver + assembler.reservedBytes);
          assert.ok(assembler.reservedBytes <= Math.max(FRAME_STEP_BYTES, FRAME_GROWTH * arrived));
          assert.equal(assembler.midFrame, at > frameBegan);
        }
        assert.deepEqual(seen, frames);
        assert.equal(assembler.reservedBytes, 0);
      },
    ),
    { numRuns: runs(150) },
  );
});

function lengthOf(frame: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setInt32(0, frame.length);
  return length;
}
