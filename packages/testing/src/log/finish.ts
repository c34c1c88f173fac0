import assert from "node:assert/strict";
import { readWell } from "./catch-up-steps.ts";
import { readAll } from "./survey.ts";
import type { Process } from "./process.ts";
import type { Run } from "./run.ts";
import * as steps from "./steps.ts";

/** After the longest pause between two tries of anything. */
const RECOVERED_MS = 25_000;
const ROUNDS_MAX = 20;
/** Of a reader, which may wait for memory that others read with. */
const READER_ROUNDS_MAX = 50;
/** Looked for in each log. */
const TIMES = 8;

/**
 * Ends a run: faults stop. Then everything goes on by itself; what was acknowledged is there after one more crash, after an upload,
 * and after a clean end; every producer gets its batches in, once; every follower gets to the end.
 */
export async function finish(run: Run): Promise<void> {
  const { world } = run;
  world.heal();
  for (const reader of run.readers) reader.hurry();
  await world.clock.advance(RECOVERED_MS);
  for (const reader of run.readers) reader.healed();
  run.check();
  if (run.current !== undefined && run.current.failure === undefined) {
    await goesOn(run, run.current);
    // What it had in memory is given back where the process goes on.
    if (world.options.seed % 2 === 0) await steps.abandon(run);
  }
  run.machine.crash("power");
  const process = await run.live();
  await quiesce(run, process);
  await mustDo(run, process, process.engine.upload());
  await checkAll(run, process);
  await steps.close(run);
  const last = await run.live();
  assert.ok(last.number > process.number);
  await quiesce(run, last);
  await checkAll(run, last);
  for (const { name, history } of run.logs) history?.check(name, world.invariants);
  await steps.close(run);
}

/** An engine that has not failed takes appends again, acknowledges them, and shows them to whoever waits for them. */
async function goesOn(run: Run, process: Process): Promise<void> {
  // One sync for all logs, and nothing after it.
  const appended = run.logs.map((_, index) => {
    const draft = { id: `n${run.nextSerial()}`, count: 1, bytes: 100, gap: 0, timestampMs: 0 };
    return run.append(process, index, draft);
  });
  for (const sent of appended) {
    assert.ok(
      sent !== undefined || process.failure !== undefined,
      "faults stopped, and appends are refused",
    );
    if (sent === undefined) return;
    const outcome = await run.world.until(process.life, sent.taken.durable);
    assert.ok(
      outcome.tag === "ok" || process.failure !== undefined,
      `faults stopped, and an append is ${outcome.tag}`,
    );
  }
  await caughtUp(run);
  await followed(run, process);
  for (const index of run.logs.keys()) await readWell(run, process, index);
}

/** Every reader gets to its end. */
async function caughtUp(run: Run): Promise<void> {
  for (let rounds = 0; run.readers.length > 0; rounds += 1) {
    const [first] = run.readers;
    run.world.invariants.check(
      "P4",
      rounds < READER_ROUNDS_MAX,
      () => `a reader does not get beyond ${first?.position}`,
    );
    await run.world.clock.advance(200);
    run.check();
  }
}

/** Producers get everything in; followers get everything out. */
async function quiesce(run: Run, process: Process): Promise<void> {
  for (let rounds = 0; run.producers.some((producer) => !producer.isQuiet); rounds += 1) {
    assert.ok(rounds < ROUNDS_MAX, "a producer does not get its batches in");
    for (const producer of run.producers) {
      producer.send(process, (draft) => run.append(process, run.logs.indexOf(producer.log), draft));
    }
    await run.world.until(process.life, process.settled);
    await run.world.clock.advance(100);
    run.check();
  }
  await caughtUp(run);
  await followed(run, process);
  for (const follower of run.followers) run.world.sometimes.add("followed", follower.seen);
}

/** Every follower gets to the end, woken by what was appended or by itself. */
async function followed(run: Run, process: Process): Promise<void> {
  for (const [index, follower] of run.followers.entries()) {
    const log = process.log(index);
    for (let rounds = 0; follower.position < log.highWatermark; rounds += 1) {
      run.world.invariants.check(
        "P4",
        rounds < ROUNDS_MAX,
        () => `a follower does not get beyond ${follower.position}`,
      );
      await run.world.clock.advance(200);
      run.check();
    }
  }
}

/** Everything is read, and found by its time. */
async function checkAll(run: Run, process: Process): Promise<void> {
  for (const index of run.logs.keys()) {
    assert.ok(await readAll(run.world, run.logs, process, index));
    for (let i = 0; i < TIMES; i += 1) await steps.find(index, i / TIMES)(run);
  }
}

async function mustDo(run: Run, process: Process, promise: Promise<void>): Promise<void> {
  const outcome = await run.world.until(process.life, promise);
  if (outcome.tag === "failed") throw outcome.error as Error;
  assert.equal(outcome.tag, "ok");
  run.check();
}
