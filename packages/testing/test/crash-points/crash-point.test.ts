// That a crash point is what it says it is, and that what a crash loses is found.
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  crashAt,
  type CrashPoint,
  enumerate,
  type EnumerateOptions,
} from "../../src/crash-points/enumerate.ts";
import type { CrashJob } from "../../src/crash-points/job.ts";
import { jobNamed } from "../../src/crash-points/jobs.ts";
import { load } from "../../src/crash-points/load.ts";
import type { PortCall } from "../../src/crash-points/port-probe.ts";

const OPTIONS: EnumerateOptions = { seed: 1, store: "memory", tempo: "instant" };
/** So many that no point is of this part. */
const NOWHERE = { index: 1_000_000 - 1, of: 1_000_000 };

const recorded = new Map<CrashJob, readonly PortCall[]>();

async function callsOf(job: CrashJob): Promise<readonly PortCall[]> {
  const calls = recorded.get(job) ?? (await enumerate(job, { ...OPTIONS, part: NOWHERE })).calls;
  recorded.set(job, calls);
  return calls;
}

function point(
  call: number,
  moment: CrashPoint["moment"],
  ending: CrashPoint["ending"],
): CrashPoint {
  return { call, moment, ending, draw: 1, again: 0, ends: "going-on" };
}

test("a request that is cut off is not done; one whose answer is lost is", async () => {
  const job = jobNamed("catalogue commit");
  const calls = await callsOf(job);
  const call = 1 + calls.findIndex(({ label }) => label === "store.putIfAbsent catalogue/log");
  for (const [moment, isDone] of [
    ["before", false],
    ["sent", true],
    ["during", true],
    ["after", true],
  ] as const) {
    const run = await crashAt(job, OPTIONS, point(call, moment, "kill"));
    const { topics } = await run.live();
    assert.equal(topics.byName("payments") !== undefined, isDone, moment);
  }
});

test("a sync that is cut off leaves nothing durable; one whose answer is lost does", async () => {
  const job = jobNamed("upload");
  const calls = await callsOf(job);
  const write = calls.findIndex(({ moments }) => moments.includes("torn"));
  const sync =
    1 + calls.findIndex(({ label }, i) => i > write && label.startsWith("disk.datasync"));
  const survivors: number[] = [];
  for (const moment of ["before", "during", "after"] as const) {
    const run = await crashAt(job, OPTIONS, point(sync, moment, "power-synced"));
    survivors.push(run.world.sometimes.of("doubtful-survived"));
  }
  const [before = 0, during = 0] = survivors;
  assert.ok(during > before, `survived: ${survivors.join(", ")}`);
});

test("a torn write leaves another disk than one that is done, or not", async () => {
  const job = jobNamed("upload");
  const calls = await callsOf(job);
  const write = 1 + calls.findIndex(({ moments }) => moments.includes("torn"));
  const states = new Set<number>();
  for (const moment of ["before", "torn", "during"] as const) {
    const run = await crashAt(job, OPTIONS, point(write, moment, "kill"));
    states.add([...run.world.crashStates][0] as number);
  }
  assert.equal(states.size, 3);
});

test("a point gives one run: what happens, when, and how often", async () => {
  const job = jobNamed("catalogue snapshot");
  const options: EnumerateOptions = { ...OPTIONS, tempo: "slow" };
  const at: CrashPoint = { ...point(20, "during", "power"), again: 9, ends: "at-rest" };
  const { trace } = (await crashAt(job, options, at)).world;
  assert.equal((await crashAt(job, options, at)).world.trace, trace);
});

test("another draw of a power cut leaves another disk", async () => {
  const job = jobNamed("upload");
  const calls = await callsOf(job);
  const write = 1 + calls.findIndex(({ moments }) => moments.includes("torn"));
  const states = new Set<number>();
  for (let draw = 1; draw <= 6; draw += 1) {
    const run = await crashAt(job, OPTIONS, { ...point(write, "during", "power"), draw });
    states.add([...run.world.crashStates][0] as number);
  }
  assert.ok(states.size >= 3, `${states.size} states`);
});

test("a record called acknowledged before its sync is missed, and the point is named", async () => {
  const hasty: CrashJob = {
    name: "hasty",
    prepare: async ({ run, vary }) => {
      vary();
      await load(run);
      const process = await run.live();
      const draft = { id: "hasty", count: 1, bytes: 300, gap: 0, timestampMs: 0 };
      return {
        perform: async () => {
          const sent = run.append(process, 1, draft);
          assert.ok(sent?.attempt !== undefined);
          sent.attempt.log.settle(sent.attempt);
          await run.world.until(process.life, process.settled);
        },
        check: () => Promise.resolve(),
      };
    },
  };
  await assert.rejects(enumerate(hasty, OPTIONS), (error: Error) => {
    assert.match(error.message, /crashAt\(jobNamed\("hasty"\), .*"moment":"before".*: W2 /);
    return true;
  });
});
