import assert from "node:assert/strict";
import { type FaultPlan, faultRates, noFaults } from "@karst/objectstore";
import { isKarstError } from "@karst/runtime";
import { DIRECTORY, STORE_DIRECTORY } from "./limits.ts";
import type { OpenLog } from "./open-log.ts";
import type { Process } from "./process.ts";
import type { Run } from "./run.ts";
import type { Ending } from "./world.ts";

/** How long a step waits for what it has begun: not at all, for what needs no time, a moment, or until it is done. */
export type Wait = "no" | "turn" | "moment" | "done";

/** One thing that happens in a run. */
export type Step = (run: Run) => Promise<void>;

interface Batches {
  readonly times: number;
  readonly count: number;
  readonly bytes: number;
  readonly wait: Wait;
}

export function append(index: number, gap: number, batches: Batches): Step {
  return async (run) => {
    const process = await run.live();
    for (let i = 0; i < batches.times; i += 1) {
      const serial = run.nextSerial();
      const draft = {
        ...batches,
        id: `n${serial}`,
        gap: index === 0 ? gap : 0,
        timestampMs: run.world.clock.wallMs(),
      };
      if (run.append(process, index, draft) === undefined) break;
    }
    await wait(run, process, process.settled, batches.wait);
  };
}

/** An idempotent producer sends what is left to be sent, and some more. */
export function produce(which: number, batches: Batches): Step {
  return async (run) => {
    const process = await run.live();
    const producer = run.producers[which];
    assert.ok(producer !== undefined);
    for (let i = 0; i < batches.times; i += 1) {
      producer.queue({ ...batches, timestampMs: run.world.clock.wallMs() });
    }
    const index = run.logs.indexOf(producer.log);
    producer.send(process, (draft) => run.append(process, index, draft));
    await wait(run, process, process.settled, batches.wait);
  };
}

/** … sends again what was answered, as if it had not heard. */
export function resend(which: number, back: number): Step {
  return async (run) => {
    const process = await run.live();
    const producer = run.producers[which];
    assert.ok(producer !== undefined);
    const index = run.logs.indexOf(producer.log);
    producer.resend(back, process, (draft) => run.append(process, index, draft));
  };
}

export function bump(which: number): Step {
  return async (run) => run.producers[which]?.bump();
}

export const takeProducerId: Step = async (run) => {
  const process = await run.live();
  const outcome = await run.world.until(process.life, process.topics.nextProducerId());
  if (outcome.tag === "ok") run.gotProducerId(outcome.value);
  if (outcome.tag === "failed") tolerate(outcome.error);
};

/** @param where from the start, 0, to the watermark, 1. */
export function read(index: number, where: number, bytesMax: number): Step {
  return async (run) => {
    const process = run.current ?? (await run.live());
    await readBy(run, process, index, where, bytesMax);
  };
}

async function readBy(
  run: Run,
  process: Process,
  index: number,
  where: number,
  bytesMax: number,
): Promise<void> {
  const log = process.log(index);
  const from = within(log, where);
  const { highWatermark, logStartOffset } = log;
  const outcome = await run.world.until(process.life, log.read({ from, bytesMax }));
  run.world.note(`read ${outcome.tag}`);
  if (outcome.tag === "failed") {
    // A trim came in between.
    if (isKarstError(outcome.error, "out_of_range")) assert.ok(log.logStartOffset > logStartOffset);
    else tolerate(outcome.error);
  }
  if (outcome.tag !== "ok") return;
  const { value } = outcome;
  assert.ok(
    value.nextOffset <= Math.max(highWatermark, from),
    "a read went over the watermark of its call",
  );
  run.logs[index]?.checkRead(from, value, highWatermark);
  value.release();
}

export const flush: Step = async (run) => {
  const process = await run.live();
  await wait(run, process, process.settled, "done");
};

export function upload(how: Wait): Step {
  return async (run) => {
    const process = await run.live();
    await wait(run, process, process.engine.upload(), how);
  };
}

export function trim(index: number, where: number, how: Wait): Step {
  return async (run) => {
    const process = await run.live();
    const log = process.log(index);
    const model = run.logs[index];
    assert.ok(model !== undefined);
    const before = within(log, where);
    // What is trimmed was durable.
    run.observe(process);
    model.trimming(before);
    const trimmed = log.trim(before).then(
      () => {
        model.trimmed(before, process.isFenced);
        run.world.crossings.add("trim");
        run.world.note(`trimmed ${model.name} ${before}`);
      },
      (error: unknown) => {
        tolerate(error);
        run.world.note(`not trimmed ${model.name} ${before}`);
        if (isKarstError(error, "unavailable")) model.notTrimmed(before);
      },
    );
    await wait(run, process, trimmed, how);
  };
}

export function pass(ms: number): Step {
  return (run) => run.world.clock.advance(ms);
}

export function crash(ending: Ending): Step {
  return async (run) => run.world.crash(ending);
}

export function crashAfter(operations: number, ending: Ending): Step {
  return async (run) => run.world.crashAfter(operations, ending);
}

/** Ends in order; what comes then finds an empty WAL. */
export const close: Step = async (run) => {
  const process = await run.live();
  const closed = process.topics.close().then(() => process.engine.close());
  const outcome = await run.world.until(process.life, closed);
  run.world.note(`close ${outcome.tag}`);
  if (outcome.tag === "ok") {
    run.world.crossings.add("clean-close");
    assert.equal(process.pending, 0, "the engine is closed, and an append still waits");
    await run.world.clock.runDeferred();
    for (const attempt of process.attempts) assert.equal(attempt.tag, "fact");
    assert.equal(process.memory.reservedBytes, 0, "the engine is closed, and holds memory");
  }
  if (outcome.tag === "failed") tolerate(outcome.error);
  process.life.end();
};

/** The process goes on, and its engine ends as in a crash. */
export const abandon: Step = async (run) => {
  const process = await run.live();
  const outcome = await run.world.until(process.life, process.engine.abandon());
  assert.ok(
    outcome.tag !== "failed" && outcome.tag !== "late",
    "abandoning an engine came to nothing",
  );
  if (outcome.tag === "ok") {
    await run.world.clock.runDeferred();
    assert.equal(process.pending, 0, "the engine has ended, and an append still waits");
  }
  process.life.end();
};

/** A second process takes the logs, while the first goes on, and appends `during` that time and, where it `haunts`, after it. */
export function zombie(index: number, during: number, bytes: number, haunts: boolean): Step {
  return async (run) => {
    const old = await run.live();
    const opened = await run.open(async () => {
      for (let i = 0; i < during; i += 1) {
        run.append(old, index, {
          id: `z${run.nextSerial()}`,
          count: 1,
          bytes,
          gap: 0,
          timestampMs: 0,
        });
        await run.world.clock.advance(1);
      }
    });
    if (opened && haunts) await haunt(index, "append", 0)(run);
  };
}

/** A second process opens while the first one closes. */
export const supersede: Step = async (run) => {
  const old = await run.live();
  const closing = old.topics.close().then(() => old.engine.close());
  // Fenced or contested: one of the two is.
  const tolerated = closing.catch(tolerate);
  run.watch(tolerated);
  await run.world.clock.advance(run.world.options.seed % 10);
  await run.open();
  run.world.note(`superseded ${(await run.world.until(old.life, tolerated)).tag}`);
  old.life.end();
};

/** A process that has lost the logs tries what it can. */
export function haunt(
  index: number,
  what: "append" | "upload" | "trim" | "read",
  where: number,
): Step {
  return async (run) => {
    for (const ghost of run.ghosts) {
      const log = ghost.log(index);
      if (what === "append") {
        run.append(ghost, index, {
          id: `g${run.nextSerial()}`,
          count: 1,
          bytes: 300,
          gap: 0,
          timestampMs: 0,
        });
        await run.world.clock.advance(5);
      } else if (what === "upload") {
        const outcome = await run.world.until(
          ghost.life,
          capture(() => ghost.engine.upload()),
        );
        if (outcome.tag === "failed") tolerate(outcome.error);
      } else if (what === "trim") {
        const before = within(log, where);
        const nothing = before <= log.logStartOffset;
        const outcome = await run.world.until(
          ghost.life,
          capture(() => log.trim(before)),
        );
        assert.ok(outcome.tag !== "ok" || nothing, "a zombie trimmed");
        if (outcome.tag === "failed") tolerate(outcome.error);
      } else await readBy(run, ghost, index, where, 800);
    }
  };
}

export const race: Step = async (run) => {
  await run.race();
};

/** The object store cannot be reached, or can be again. */
export function outage(down: boolean): Step {
  return async ({ world }) => {
    if (world.faulty === undefined) world.breakStore(down);
    else if (down) world.faulty.down();
    else world.faulty.up();
  };
}

const LOST = faultRates(
  { unavailable: 0.03, "lost-answer": 0.03, "lost-request": 0.03, "late-effect": 0.03 },
  { min: 1, max: 8_000 },
);
const SPOILED = faultRates({ "flipped-bit": 0.1, truncated: 0.1, overlong: 0.1, "not-found": 0.1 });

/** Requests of one object that are left alone after one was spoiled: spoiled twice, it would be corrupt. */
const UNSPOILED = 10;

/** Requests and answers get lost, late, and spoiled on their way. */
function unreliableConnection(): FaultPlan {
  const unspoiled = new Map<string, number>();
  return (call, random) => {
    const lost = LOST(call, random);
    if (lost !== undefined || !call.key.startsWith("objects/")) return lost;
    const left = unspoiled.get(call.key) ?? 0;
    unspoiled.set(call.key, left - 1);
    if (left > 0) return undefined;
    const fault = SPOILED(call, random);
    unspoiled.set(call.key, fault === undefined ? 0 : UNSPOILED);
    return fault;
  };
}

/** The connection to the store, or its disk, is bad, or not any more. */
export function unreliable(on: boolean): Step {
  return async ({ world }) => {
    world.faulty?.setPlan(on ? unreliableConnection() : noFaults);
    if (world.faulty === undefined && on) {
      const path = (one: string): boolean => one.startsWith(STORE_DIRECTORY);
      world.disk.fault({
        on: ["datasync", "write", "link", "open"],
        path,
        effect: "EIO",
        times: 2,
        probability: 0.3,
      });
      world.disk.fault({ on: "datasync", path, effect: "lost-sync", probability: 0.3 });
    }
  };
}

/** One of the next syncs of the WAL fails. */
export function failSync(effect: "lost-sync" | "EIO", after: number): Step {
  return async ({ world }) => {
    world.disk.fault({ on: "datasync", path: (path) => path.startsWith(DIRECTORY), effect, after });
  };
}

/** No file can grow, or all can again. */
export function fill(full: boolean): Step {
  return async ({ world: { disk } }) => {
    disk.capacityBytes = full ? disk.usedBytes : Infinity;
  };
}

function within(log: OpenLog, where: number): number {
  return log.logStartOffset + Math.floor(where * (log.highWatermark - log.logStartOffset));
}

async function wait(
  run: Run,
  process: Process,
  promise: Promise<unknown>,
  how: Wait,
): Promise<void> {
  const { clock } = run.world;
  const tolerated = promise.catch(tolerate);
  run.watch(tolerated);
  if (how === "turn") await clock.runDeferred();
  if (how === "moment") await clock.advance(2);
  if (how === "done")
    run.world.note(`waited ${(await run.world.until(process.life, tolerated)).tag}`);
}

function capture<T>(call: () => Promise<T>): Promise<T> {
  return Promise.resolve().then(call);
}

/** Whatever else something rejects with is a defect. */
function tolerate(error: unknown): void {
  if (!isKarstError(error, "unavailable", "indeterminate", "closed", "fenced"))
    throw error as Error;
}
