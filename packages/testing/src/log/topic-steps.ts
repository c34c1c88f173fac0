import { encodeBatch } from "@karst/records";
import { type PartitionLog, type Topics } from "@karst/core";
import { hasCode, isKarstError, utf8Encode } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";
import { tolerate, type Wait, wait } from "../world/wait.ts";
import type { Process } from "./process.ts";
import type { Run } from "./run.ts";
import type { Step } from "./step.ts";

const NAME = "passing";

/**
 * A topic is made and written to, and deleted before long: its batches lie in the WAL, among those of the logs, and in uploads that
 * have begun. `passing` names no other topic's: each has nothing of the one before.
 *
 * @param end `deleted`: in this step; `left`: when the next one is to be made.
 */
export function passing(times: number, bytes: number, how: Wait, end: "deleted" | "left"): Step {
  return async (run) => {
    const process = await run.live();
    const { topics, life } = process;
    const made = await run.world.until(life, make(run, topics));
    if (made.tag === "failed") tolerate(made.error);
    if (made.tag !== "ok" || made.value === undefined) return;
    const { log, topicId } = made.value;
    write(run, process, log, { times, bytes });
    await wait(run, process, process.settled, how);
    if (end === "left" || life.isOver) return;
    const deleted = await run.world.until(life, topics.delete(topicId));
    if (deleted.tag === "failed") tolerate(deleted.error);
    if (deleted.tag === "ok") run.world.sometimes.add("topic-deleted");
  };
}

/** undefined: somebody else has made it, or unmade it, meanwhile. */
async function make(
  run: Run,
  topics: Topics,
): Promise<{ readonly log: PartitionLog; readonly topicId: string } | undefined> {
  try {
    const before = topics.byName(NAME);
    if (before !== undefined) await topics.delete(before.topicId);
    const { topicId } = await topics.create({ name: NAME, partitions: 1 });
    const log = await topics.partition(topicId, 0);
    const invariants: Invariants = run.world.invariants;
    invariants.check(
      "P6",
      log.logEndOffset === 0,
      () => `a topic made a moment ago ends at ${log.logEndOffset}`,
    );
    return { log, topicId };
  } catch (error) {
    if (isKarstError(error, "not_found") || hasCode(error, "TOPIC_EXISTS")) return undefined;
    throw error;
  }
}

function write(
  run: Run,
  process: Process,
  log: PartitionLog,
  { times, bytes }: { readonly times: number; readonly bytes: number },
): void {
  const timestampMs = run.world.clock.wallMs();
  const value = utf8Encode("x".repeat(bytes));
  try {
    for (let i = 0; i < times; i += 1) {
      const { durable } = log.append(encodeBatch([{ value, timestampMs }]));
      run.watch(process.life.lived(durable).catch(tolerate));
    }
  } catch (error) {
    tolerate(error);
  }
}
