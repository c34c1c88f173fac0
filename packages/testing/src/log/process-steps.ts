import assert from "node:assert/strict";
import type { Invariants } from "../world/invariants.ts";
import type { Ending } from "../world/machine.ts";
import { capture, tolerate } from "../world/wait.ts";
import { within } from "./open-log.ts";
import type { Process } from "./process.ts";
import { read, readBy } from "./read-steps.ts";
import type { Run } from "./run.ts";
import type { Step } from "./step.ts";

/** After the longest delay of an answer of the store. */
const IN_FLIGHT_MS = 10_000;

export function crash(ending: Ending): Step {
  return async (run) => run.machine.crash(ending);
}

export function crashAfter(operations: number, ending: Ending): Step {
  return async (run) => run.machine.crashAfter(operations, ending);
}

/** Ends in order; what comes then finds an empty WAL. */
export const close: Step = async (run) => {
  const process = await run.live();
  const closed = process.topics.close().then(() => process.engine.close());
  const outcome = await run.world.until(process.life, closed);
  run.world.note(`close ${outcome.tag}`);
  if (outcome.tag === "ok") {
    run.world.sometimes.add("clean-close");
    assert.equal(process.pending, 0, "the engine is closed, and an append still waits");
    await run.world.clock.runDeferred();
    for (const attempt of process.attempts) assert.equal(attempt.tag, "fact");
  }
  if (outcome.tag === "failed") tolerate(outcome.error);
  if (outcome.tag === "ok" || outcome.tag === "failed") await checkReleased(run, process);
  process.life.end();
};

/** An engine that has ended holds nothing, once what it had on its way has come. */
async function checkReleased(run: Run, { memory, life }: Process): Promise<void> {
  if (memory.reservedBytes > 0) {
    run.world.sometimes.add("memory-given-back-later");
    await run.world.clock.advance(IN_FLIGHT_MS);
  }
  if (life.isOver) return;
  const invariants: Invariants = run.world.invariants;
  invariants.check(
    "PL4",
    memory.reservedBytes === 0,
    () => `the engine has ended, and holds ${memory.reservedBytes} bytes`,
  );
}

/** It ends when somebody has just read a batch, and what comes next is being read ahead. */
export function endReading(how: "close" | "abandon", index: number, where: number): Step {
  return async (run) => {
    await read(index, where, 1)(run);
    await (how === "close" ? close : abandon)(run);
  };
}

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
    await checkReleased(run, process);
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
