// Stories that once went wrong, as little as was left of them.
import { test } from "vitest";
import { perform, type Story } from "../../src/log/story.ts";

const wild = (options: Story["options"], steps: Story["steps"]): Story => ({
  options,
  size: "tiny",
  paceMs: 0,
  steps,
});

test("batches that a state has still to be made of are not given up when another stream is trimmed (seed 5108)", async () => {
  const batches = (count: number, bytes: number, wait: string) => ({
    times: count,
    count: 1,
    bytes,
    wait,
  });
  await perform(
    wild({ seed: 5108, store: "memory", tempo: "slow" }, [
      ["produce", 2, batches(3, 2500, "done")],
      ["crashAfter", 43, "kill"],
      ["append", 0, 5000, batches(1, 700, "moment")],
      ["produce", 1, batches(3, 200, "no")],
      ["race"],
      ["trim", 0, 1, "turn"],
      ["supersede"],
      ["trim", 1, 0.75, "turn"],
    ]),
  );
});

test("a partition that was closed alone is opened again (seed 21)", async () => {
  await perform(
    wild({ seed: 21, store: "file", tempo: "slow" }, [
      ["reopen", 1],
      ["append", 1, 0, { times: 12, count: 1, bytes: 20, wait: "turn" }],
    ]),
  );
});

test("one of two openings at once does not call the directory an old copy (seed 1000663)", async () => {
  const batches = (times: number, count: number, bytes: number, wait: string) => ({
    times,
    count,
    bytes,
    wait,
  });
  await perform(
    wild({ seed: 1_000_663, store: "memory", tempo: "slow" }, [
      ["zombie", 2, 0, 900, false],
      ["produce", 2, batches(1, 2, 200, "done")],
      ["append", 1, 7, batches(1, 1, 2500, "done")],
      ["append", 0, 5000, batches(3, 7, 20, "no")],
      ["zombie", 0, 5, 900, true],
      ["takeProducerIds", 1],
      ["crash", "kill"],
      ["produce", 1, batches(1, 1, 200, "no")],
      ["read", 1, 0.875, 1],
      ["zombie", 2, 0, 100, false],
      ["append", 2, 5000, batches(3, 1, 700, "turn")],
      ["read", 1, 0.125, 5000],
      ["produce", 2, batches(3, 1, 5000, "no")],
      ["append", 0, 0, batches(1, 1, 20, "done")],
      ["produce", 1, batches(3, 1, 200, "moment")],
      ["produce", 0, batches(1, 1, 20, "done")],
      ["zombie", 0, 1, 900, false],
      ["zombie", 2, 3, 900, true],
      ["zombie", 2, 5, 100, true],
      ["produce", 2, batches(1, 1, 20, "no")],
      ["pass", 50],
      ["append", 1, 5000, batches(3, 7, 700, "no")],
      ["produce", 1, batches(12, 1, 5000, "done")],
      ["append", 1, 0, batches(3, 1, 2500, "no")],
      ["flush"],
      ["produce", 0, batches(1, 1, 700, "no")],
      ["bump", 2],
      ["upload", "moment"],
      ["pass", 1],
      ["zombie", 1, 3, 900, true],
      ["resend", 0, 3],
      ["race"],
    ]),
  );
});

test("a log that is closed while it is trimmed begins where it was trimmed to (seed 113)", async () => {
  await perform(
    wild({ seed: 113, store: "memory", tempo: "instant" }, [
      ["append", 0, 7, { times: 3, count: 2, bytes: 700, wait: "done" }],
      ["trimTwice", 0, 0.125, 0.375, "turn"],
      ["reopen", 0],
    ]),
  );
});
