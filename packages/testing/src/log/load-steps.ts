import assert from "node:assert/strict";
import { hasCode, isKarstError } from "@karst/runtime";
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
        timestampMs: timeOf(run, batches, i),
      };
      if (run.append(process, index, draft) === undefined) break;
    }
    await wait(run, process, process.settled, batches.wait);
  };
}

function timeOf(run: Run, { lateMs = 0 }: Batches, i: number): number {
  return run.world.clock.wallMs() - (i % 2 === 0 ? lateMs : 0);
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
      producer.queue({ ...batches, timestampMs: timeOf(run, batches, i) });
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

/** … sends what it must not. */
export function stray(which: number, what: "older-epoch" | "ahead"): Step {
  return async (run) => {
    const process = await run.live();
    const producer = run.producers[which];
    const draft = producer?.stray(what);
    if (producer === undefined || draft === undefined) return;
    const log = process.log(run.logs.indexOf(producer.log));
    const expected = what === "ahead" ? "OUT_OF_ORDER_SEQUENCE" : "INVALID_PRODUCER_EPOCH";
    const answer = (): string => {
      try {
        return `taken at ${log.append(draft).baseOffset}`;
      } catch (error) {
        if (hasCode(error, expected)) return expected;
        throw error;
      }
    };
    const came = answer();
    run.world.tally.checked += 1;
    run.world.sometimes.add(what);
    const invariants: Invariants = run.world.invariants;
    invariants.check(
      what === "ahead" ? "IP1" : "IP3",
      came === expected,
      () => `${draft.id} of epoch ${draft.producer?.epoch} was ${came}`,
    );
  };
}

export function bump(which: number): Step {
  return async (run) => run.producers[which]?.bump();
}

export function takeProducerIds(count: number): Step {
  return async (run) => {
    const process = await run.live();
    for (let i = 0; i < count; i += 1) {
      const outcome = await run.world.until(process.life, process.topics.nextProducerId());
      if (outcome.tag === "ok") run.gotProducerId(outcome.value);
      if (outcome.tag === "failed") tolerate(outcome.error);
      if (outcome.tag !== "ok") return;
    }
  };
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
    await wait(
      run,
      process,
      beginTrim(run, process, index, within(process.log(index), where)),
      how,
    );
  };
}

/** Two at once; `between`: time from the one to the other. */
export function trimTwice(index: number, first: number, second: number, between: Wait): Step {
  return async (run) => {
    const process = await run.live();
    const log = process.log(index);
    // Both of the log as it is now.
    const [one, other] = [within(log, first), within(log, second)];
    await wait(run, process, beginTrim(run, process, index, one), between);
    if (process.life.isOver) return;
    await wait(run, process, beginTrim(run, process, index, other), "no");
    run.world.sometimes.add("two-trims");
  };
}

/** Settles with the trim, whatever comes of it. */
function beginTrim(run: Run, process: Process, index: number, before: number): Promise<void> {
  const log = process.log(index);
  const model = run.logs[index];
  assert.ok(model !== undefined);
  // What is trimmed was durable.
  run.observe(process);
  model.trimming(before);
  const call = model.history?.trim(process.number, before);
  return log.trim(before).then(
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
    assert.ok(model !== undefined);
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
      "K2",
      found === undefined || found < log.highWatermark,
      () => `${timestampMs} of ${model.name} was found at ${found}, above ${log.highWatermark}`,
    );
    invariants.check(
      "P8",
      found === before || found === model.firstAt(timestampMs, log),
      () => `${timestampMs} of ${model.name} was found at ${found}, and is at ${before}`,
    );
  };
}

/** A log is closed, and opened again in the same process, in which so much is appended to another one meanwhile. */
export function reopen(index: number, times: number = 0, pauseMs: number = 0): Step {
  return async (run) => {
    const process = await run.live();
    await run.reopen(process, index, async () => {
      if (times > 0) await run.world.clock.advance(pauseMs);
      for (let i = 0; i < times && !process.life.isOver; i += 1) {
        const timestampMs = run.world.clock.wallMs();
        const draft = { id: `n${run.nextSerial()}`, count: 1, bytes: 700, gap: 0, timestampMs };
        run.append(process, (index + 1) % run.logs.length, draft);
      }
    });
  };
}

export function pass(ms: number): Step {
  return (run) => run.world.clock.advance(ms);
}
