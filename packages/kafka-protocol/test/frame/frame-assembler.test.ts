import assert from "node:assert/strict";
import { hasCode, isKarstError, MemoryBudget } from "@karst/runtime";
import {
  FRAME_BYTES_MAX,
  FRAME_STEP_BYTES,
  FrameAssembler,
  REQUEST_FRAME_BYTES_MIN,
  UNTRUSTED_FRAME_BYTES_MAX,
} from "@karst/kafka-protocol";
import type { Frame, FrameAssemblerOptions } from "@karst/kafka-protocol";
import { test } from "vitest";

interface Bench {
  readonly assembler: FrameAssembler;
  readonly budget: MemoryBudget;
  readonly frames: Frame[];
}

function bench(options: Partial<FrameAssemblerOptions> = {}, budgetBytes = 1024 * 1024): Bench {
  const budget = new MemoryBudget(budgetBytes);
  const frames: Frame[] = [];
  const assembler = new FrameAssembler({
    onFrame: (frame) => void frames.push(frame),
    reserve: (bytes) => budget.tryReserve(bytes),
    release: (bytes) => budget.release(bytes),
    frameBytesMin: REQUEST_FRAME_BYTES_MIN,
    ...options,
  });
  return { assembler, budget, frames };
}

function beginning(length: number, bytes = 0): Uint8Array {
  const chunk = new Uint8Array(4 + bytes);
  new DataView(chunk.buffer).setInt32(0, length);
  return chunk;
}

/** The error for a length; nothing was reserved for it, and nothing more is taken after it. */
function refusalOf(length: number, options?: Partial<FrameAssemblerOptions>): string {
  const { assembler, budget, frames } = bench(options);
  try {
    assembler.push(beginning(length, 100));
  } catch (error) {
    assert.equal(budget.reservedBytes, 0);
    assembler.push(beginning(10, 10));
    assert.deepEqual(frames, []);
    assert(isKarstError(error));
    return `${error.code}: ${error.message}`;
  }
  return "accepted";
}

test("lengths are checked before anything is reserved", () => {
  assert.equal(refusalOf(-1), "MALFORMED_MESSAGE: a frame of -1 bytes, the least is 10");
  assert.match(refusalOf(-0x8000_0000), /^MALFORMED_MESSAGE: a frame of -2147483648 bytes/);
  assert.match(refusalOf(0), /^MALFORMED_MESSAGE: a frame of 0 bytes/);
  assert.match(refusalOf(9), /^MALFORMED_MESSAGE: a frame of 9 bytes/);
  const tooLarge = `WIRE_FRAME_TOO_LARGE: a frame of ${UNTRUSTED_FRAME_BYTES_MAX + 1} bytes, the limit is 65536`;
  assert.equal(refusalOf(UNTRUSTED_FRAME_BYTES_MAX + 1), tooLarge);
  assert.match(refusalOf(0x7fff_ffff), /^WIRE_FRAME_TOO_LARGE: .* the limit is 65536/);
  assert.match(
    refusalOf(101, { untrustedFrameBytesMax: 100 }),
    /^WIRE_FRAME_TOO_LARGE: .* the limit is 100$/,
  );
});

test("a client at the wrong port is told so", () => {
  assert.match(refusalOf(0x47455420), /looks like an HTTP request/);
  assert.match(refusalOf(0x16030100), /looks like a TLS handshake/);
});

test("the larger limit holds from the first valid request on, also within one chunk", () => {
  const options = { untrustedFrameBytesMax: 20, frameBytesMax: 40 };
  const first = beginning(20, 20);
  const second = beginning(40, 40);
  const trusting = bench(options);
  const assembler: FrameAssembler = new FrameAssembler({
    ...options,
    frameBytesMin: 10,
    reserve: (bytes) => trusting.budget.tryReserve(bytes),
    release: (bytes) => trusting.budget.release(bytes),
    onFrame: (frame) => {
      trusting.frames.push(frame);
      assembler.trust();
    },
  });
  assembler.push(Uint8Array.of(...first, ...second));
  assert.deepEqual(
    trusting.frames.map(({ bytes, held }) => [bytes.length, held]),
    [
      [20, "borrowed"],
      [40, "borrowed"],
    ],
  );
  assert.throws(() => assembler.push(beginning(41)), /the limit is 40/);
  const { assembler: byDefault } = bench();
  byDefault.trust();
  byDefault.push(beginning(FRAME_BYTES_MAX));
  assert.equal(byDefault.midFrame, true);
});

test("a claimed length costs a step at most, and grows with what arrives", () => {
  const { assembler, budget, frames } = bench({}, 2_000_000);
  assembler.trust();
  assembler.push(beginning(1_000_000));
  assert.equal(budget.reservedBytes, 0, "a length alone reserves nothing");
  assembler.push(new Uint8Array(1));
  assert.equal(budget.reservedBytes, FRAME_STEP_BYTES);
  assembler.push(new Uint8Array(FRAME_STEP_BYTES - 1));
  assert.equal(budget.reservedBytes, FRAME_STEP_BYTES);
  assembler.push(new Uint8Array(1));
  assert.equal(budget.reservedBytes, 4 * (FRAME_STEP_BYTES + 1));
  assembler.push(new Uint8Array(1_000_000 - FRAME_STEP_BYTES - 1));
  assert.equal(frames[0]?.held, "owned");
  assert.equal(frames[0].bytes.length, 1_000_000);
  assert.equal(frames[0].bytes.buffer.byteLength, 1_000_000, "of exactly its size");
  assert.equal(budget.reservedBytes, 1_000_000, "the receiver's now");
  assert.equal(assembler.reservedBytes, 0);
});

test("no memory: refused before it is allocated, and everything is given back", () => {
  const { assembler, budget } = bench({}, FRAME_STEP_BYTES);
  assembler.trust();
  assembler.push(beginning(1_000_000, 100));
  assert.throws(
    () => assembler.push(new Uint8Array(FRAME_STEP_BYTES)),
    (error) => hasCode(error, "WIRE_FRAME_REFUSED") && error.kind === "unavailable",
  );
  assert.equal(budget.reservedBytes, 0);
  assert.equal(assembler.midFrame, false);
});

test("closing gives back a half frame, also from within a frame", () => {
  const { assembler, budget, frames } = bench();
  assembler.push(beginning(20_000, 5));
  assert.equal(assembler.midFrame, true);
  assembler.close();
  assembler.close();
  assert.equal(budget.reservedBytes, 0);
  const closing: FrameAssembler = new FrameAssembler({
    frameBytesMin: 4,
    reserve: () => true,
    release: () => undefined,
    onFrame: (frame) => {
      frames.push(frame);
      closing.close();
    },
  });
  closing.push(Uint8Array.of(...beginning(4, 4), ...beginning(4, 4)));
  assert.equal(frames.length, 1);
});

test("what the receiver throws passes through and ends the assembler", () => {
  const { assembler, budget } = bench({
    onFrame: () => {
      throw new RangeError("mine");
    },
  });
  assert.throws(() => assembler.push(beginning(10, 10)), /mine/);
  assembler.push(beginning(20_000, 5));
  assert.equal(budget.reservedBytes, 0);
});

test("empty frames are not for this assembler", () => {
  assert.throws(() => bench({ frameBytesMin: 0 }), TypeError);
});
