// Stories that once went wrong, as little as was left of them.
import { test } from "vitest";
import { performCluster } from "../../src/cluster/family.ts";

test("a producer whose node has been fenced without having heard of it finds the next one (seed 30036)", async () => {
  const batches = { times: 3, count: 1, bytes: 2_500, wait: "moment" };
  await performCluster({
    options: { seed: 30_036, machines: 2, store: "memory", tempo: "slow" },
    steps: [
      ["create", 1, "a", 3],
      ["read", ["a", 1], 0.25, 1],
      ["produce", 0, ["a", 0], batches],
      ["produce", 1, ["a", 1], batches],
      ["race", 1, 3],
    ],
  });
});
