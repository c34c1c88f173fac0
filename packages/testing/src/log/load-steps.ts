import assert from "node:assert/strict";
import { isKarstError } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";
import { type Batches, tolerate, type Wait, wait } from "../world/wait.ts";
import { within } from "./open-log.ts";
import type { Process } from "./process.ts";
import type { Run } from "./run.ts";
import type { Step } from "./step.ts";

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

/** Appends if the log ends so far above or below where it does: at 0 it does. */
export function appendIf(index: number, beside: number): Step {
  return async (run) => {
    const process = await run.live();
    const ifOffset = process.log(index).logEndOffset + beside;
    if (ifOffset < 0) return;
    const id = `c${run.nextSerial()}`;
    run.append(process, index, {
      id,
      count: 1,
      bytes: 60,
      gap: 0,
      timestampMs: run.world.clock.wallMs(),
      ifOffset,
    });
    run.logs[index]?.history?.saw(process.number, process.log(index));
    await wait(run, process, process.settled, "turn");
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

/** Begins a read, and does not wait for it: whatever comes next comes in between. */
export function readAway(index: number, where: number, bytesMax: number): Step {
  return async (run) => {
    const process = run.current ?? (await run.live());
    const log = process.log(index);
    const read = log.read({ from: within(log, where), bytesMax }).then(
      (value) => value.release(),
      (error: unknown) => {
        if (!isKarstError(error, "out_of_range")) tolerate(error);
      },
    );
    run.watch(read);
  };
}

export async function readBy(
  run: Run,
  process: Process,
  index: number,
  where: number,
  bytesMax: number,
): Promise<void> {
  const log = process.log(index);
  const from = within(log, where);
  const { highWatermark, logStartOffset } = log;
  // Who was succeeded may show what was true before.
  const call = process.isFenced ? undefined : run.logs[index]?.history?.read(process.number, from);
  const outcome = await run.world.until(process.life, log.read({ from, bytesMax }));
  run.world.note(`read ${outcome.tag}`);
  run.world.tally.checked += 1;
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
  run.logs[index]?.checkRead(from, value, highWatermark, process.isFenced ? undefined : call);
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
    const call = model.history?.trim(process.number, before);
    const trimmed = log.trim(before).then(
      () => {
        model.trimmed(before, process.isFenced);
        if (!process.isFenced) call?.ok();
        run.world.sometimes.add("trim");
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

/**
 * Looks for the first record of a time, as a scan would find it.
 *
 * @param where of a record from the first, 0, to the last; at 1: of one that is being appended, and that nobody may be shown yet.
 */
export function find(index: number, where: number): Step {
  return async (run) => {
    const process = await run.live();
    const model = run.logs[index];
    const log = process.log(index);
    if (model === undefined || log.find === undefined) return;
    const nowMs = run.world.clock.wallMs();
    if (where === 1) {
      const id = `n${run.nextSerial()}`;
      run.append(process, index, { id, count: 1, bytes: 40, gap: 0, timestampMs: nowMs });
    }
    const timestampMs = where === 1 ? nowMs : model.timeAt(where);
    const before = model.firstAt(timestampMs, log);
    const start = log.logStartOffset;
    const outcome = await run.world.until(process.life, log.find(timestampMs));
    if (outcome.tag === "failed") tolerate(outcome.error);
    if (outcome.tag !== "ok" || log.logStartOffset !== start || process.isFenced) return;
    run.observe(process);
    const found = outcome.value?.offset;
    run.world.tally.checked += 1;
    const invariants: Invariants = run.world.invariants;
    invariants.check(
      "P8",
      found === before || found === model.firstAt(timestampMs, log),
      () => `${timestampMs} of ${model.name} was found at ${found}, and is at ${before}`,
    );
  };
}

/** A log is closed, and opened again in the same process. */
export function reopen(index: number): Step {
  return async (run) => {
    await run.reopen(await run.live(), index);
  };
}

export function pass(ms: number): Step {
  return (run) => run.world.clock.advance(ms);
}
