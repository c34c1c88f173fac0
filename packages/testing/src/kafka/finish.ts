import assert from "node:assert/strict";
import { checkKafka } from "../checkers/kafka-anomalies.ts";
import { historyOf } from "./anomalies.ts";
import { Consumer } from "./consumer.ts";
import type { KafkaRun } from "./kafka-run.ts";
import type { Poll, Sighting } from "./ledger.ts";

/** After the longest pause between two tries of anything, and the longest patience with a client. */
const RECOVERED_MS = 20_000;
const ROUNDS_MAX = 600;
const ROUND_MS = 100;

/**
 * Ends a run: faults stop. Then every producer gets everything in, every consumer gets to the end, and what was acknowledged is read,
 * whole, by somebody new, after one more crash and after a clean end.
 */
export async function finish(run: KafkaRun): Promise<void> {
  const { world } = run;
  world.heal();
  run.cutAfter(Infinity);
  await run.live();
  await world.clock.advance(RECOVERED_MS);
  await run.live();
  run.healed = true;
  await comesToRest(run);
  run.healed = false;
  run.machine.crash("power");
  await readAll(run, "last 1");
  for (const producer of run.producers) producer.stop();
  for (const consumer of run.consumers) consumer.stop();
  await run.close();
  await readAll(run, "last 2");
  run.ledger.checkPlaces();
  checkHistory(run);
  await run.close();
  run.check();
}

async function comesToRest(run: KafkaRun): Promise<void> {
  const waits = (): string | undefined => {
    if (run.isRecreating) return "the admin";
    const producer = run.producers.find(({ isQuiet }) => !isQuiet);
    const consumer = run.consumers.find(({ isAtEnd }) => !isAtEnd);
    const stray = run.strayConnections > 0 ? "an attacker" : undefined;
    return producer?.options.name ?? consumer?.options.name ?? stray;
  };
  for (let rounds = 0; waits() !== undefined; rounds += 1) {
    run.world.invariants.check(
      "W12",
      rounds < ROUNDS_MAX,
      () => `${waits()} does not come to rest`,
    );
    await run.world.clock.advance(ROUND_MS);
    run.check();
    assert.ok(run.current?.works === true, "nothing is wrong, and the broker has failed");
  }
}

/** Somebody new reads every log, from its start to its end. */
async function readAll(run: KafkaRun, name: string): Promise<void> {
  await run.live();
  const reader = new Consumer(
    {
      name,
      topics: ["t0", "t1"],
      fetchVersion: 12,
      sessions: false,
      listVersion: 5,
      maxWaitMs: 100,
      minBytes: 1,
      maxBytes: 1_000_000,
      partitionMaxBytes: 1_000_000,
      isolationLevel: 0,
    },
    run,
    run.random.fork(name),
  );
  for (let rounds = 0; !reader.isAtEnd; rounds += 1) {
    run.world.invariants.check(
      "W12",
      rounds < ROUNDS_MAX,
      "the last reader does not get to the end",
    );
    await run.world.clock.advance(ROUND_MS);
    run.check();
  }
  reader.stop();
  for (const topic of run.topics.filter(({ isLive }) => isLive)) {
    for (const partition of topic.partitions) {
      const polls = run.ledger.polls.filter(
        (event): event is Poll =>
          event.kind === "poll" && event.consumer === name && event.partition === partition,
      );
      const log: Sighting[] = polls.flatMap(({ seen }) => seen);
      run.ledger.checkLog(partition, log, partition.logStart);
    }
  }
}

function checkHistory(run: KafkaRun): void {
  const complete = run.topics
    .filter(({ isLive }) => isLive)
    .flatMap(({ partitions }) => partitions)
    .map(({ name, logStart }) => ({ partition: name, from: logStart }));
  const { operations, anomalies } = checkKafka(historyOf(run.ledger), complete);
  run.world.tally.checked += operations;
  const [first] = anomalies;
  assert.equal(first, undefined, `${first?.kind} in ${first?.partition}: ${first?.detail}`);
}
