// Stories that once went wrong, as little as was left of them.
import { test } from "vitest";
import { logFamily } from "@karst/testing";
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
  await logFamily.run(1_000_663);
});
