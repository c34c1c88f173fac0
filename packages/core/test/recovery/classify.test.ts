import assert from "node:assert/strict";
import { test } from "vitest";
import {
  classifyFrame,
  FRAME_RULES,
  type FrameFacts,
  type FrameVerdict,
} from "../../src/recovery/classify.ts";

const STREAMS = ["known", "deleted", "newer"] as const;
const EPOCHS = ["owned", "older", "newer", "foreign"] as const;
const PLACES = ["committed", "next", "overlap", "beyond"] as const;

/** What must happen, said a second time in other words. */
function expected({ stream, epoch, place }: FrameFacts): FrameVerdict {
  if (stream === "newer") return "corrupt";
  if (stream === "deleted") return "skip";
  if (epoch === "newer") return "corrupt";
  if (place === "committed" || epoch !== "owned") return "skip";
  return place === "next" ? "take" : "corrupt";
}

const combinations: readonly FrameFacts[] = STREAMS.flatMap((stream) =>
  EPOCHS.flatMap((epoch) => PLACES.map((place) => ({ stream, epoch, place }))),
);

test.each(combinations)("$stream stream, $epoch epoch, $place", (facts) => {
  assert.equal(classifyFrame(facts).verdict, expected(facts));
});

test("every rule decides something", () => {
  const used = new Set(combinations.map(classifyFrame));
  assert.deepEqual(used, new Set(FRAME_RULES));
  assert.equal(combinations.length, 48);
});

test("exactly one combination is taken", () => {
  const taken = combinations.filter((facts) => classifyFrame(facts).verdict === "take");
  assert.deepEqual(taken, [{ stream: "known", epoch: "owned", place: "next" }]);
});
