import assert from "node:assert/strict";
import { test } from "vitest";
import { killRun, type Victim } from "../src/kill-run.ts";
import { within } from "../src/within.ts";
import { LaneWriter, type Send } from "../src/writers/lanes.ts";

const rows = Array.from({ length: 200 }, (_, id) => ({ id, value: `row ${id}` }));

/** One writer that is acknowledged ten rows at a time, and a victim that is killed once. */
function run(victim: Victim, send: Send): Promise<unknown> {
  return killRun({
    seed: 1,
    rows,
    plans: [
      {
        topic: "t",
        idempotent: false,
        batchMin: 10,
        batchMax: 10,
        make: (options) => Promise.resolve(new LaneWriter(options, send, () => Promise.resolve())),
      },
    ],
    bootstrap: "",
    victim,
    kills: 1,
    readBack: () => Promise.resolve([]),
  });
}

test("a victim that does not come back ends the run, though its writers would wait for ever", async () => {
  let isDead = false;
  let next = 0;
  const victim = {
    kill: () => Promise.resolve(void (isDead = true)),
    start: () => Promise.reject(new Error("the port is taken")),
  };
  const send: Send = (_, batch) =>
    isDead ? new Promise(() => undefined) : Promise.resolve(batch.map(() => next++));
  await assert.rejects(run(victim, send), /the port is taken/);
});

test("a writer that gives up ends the run", async () => {
  const victim = { kill: () => Promise.resolve(), start: () => Promise.resolve() };
  const send: Send = (partition) =>
    partition === 0 ? Promise.reject(new Error("refused")) : new Promise(() => undefined);
  await assert.rejects(run(victim, send), /refused/);
});

test("what is late is named", async () => {
  await assert.rejects(
    within(1, "the sun rises", new Promise(() => undefined)),
    /waited in vain, for 0.001 s, until the sun rises/,
  );
  assert.equal(await within(10_000, "it is there", Promise.resolve(7)), 7);
});
