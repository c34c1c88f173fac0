import { setTimeout as delay } from "node:timers/promises";
import type { Consumer } from "kafkajs";
import type { Place, Position } from "../events.ts";
import { type ConsumeOptions, fail, type RunningMember } from "./command-line.ts";
import { recordOf } from "./kafkajs-shapes.ts";
import type { Teller } from "./teller.ts";

const COMMIT_INTERVAL_MS = 200;
const RENEW_AFTER_MS = 100;
/** What kafkajs calls a connection that is gone, and a coordinator for which it asked over one. */
const LOSSES: ReadonlySet<string> = new Set([
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSGroupCoordinatorNotFound",
]);

/**
 * What a batch is told when the member has given up all that it had. kafkajs goes on fetching what it had before where the broker dies
 * while it joins again; where the group did not know it any more it has no member id then, and sends no heartbeat ever after.
 */
class JoinAgain extends Error {
  /** By this kafkajs knows what to do. */
  readonly type = "REBALANCE_IN_PROGRESS";

  constructor() {
    super("the member has nothing to read");
  }
}

/**
 * A member that outlives its consumers. kafkajs retries most of what a broker's death does to it, but gives a consumer up for good where
 * the broker dies while it connects or looks for its coordinator; a service makes a new one then, and so does this.
 *
 * Invariant: only the newest consumer is heard.
 */
export class KafkajsMember implements RunningMember {
  readonly #make: () => Consumer;
  readonly #options: ConsumeOptions;
  readonly #teller: Teller;
  #consumer: Consumer;
  #starting: Promise<void> = Promise.resolve();
  #isLeaving = false;
  #commits = 0;

  constructor(make: () => Consumer, options: ConsumeOptions, teller: Teller) {
    this.#make = make;
    this.#options = options;
    this.#teller = teller;
    this.#consumer = this.#consumerHeard();
  }

  /** Resolves when a consumer runs. */
  start(): Promise<void> {
    this.#starting = this.#startUntilOneRuns();
    return this.#starting;
  }

  /** @throws Error where the consumer stops or starts again meanwhile: kafkajs resolves with nothing committed. */
  async commit(positions: readonly Position[]): Promise<void> {
    const before = this.#commits;
    await this.#consumer.commitOffsets(
      positions.map((each) => ({ ...each, offset: String(each.offset) })),
    );
    if (this.#commits === before) throw new Error("the consumer has stopped meanwhile");
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#starting;
    await this.#consumer.disconnect();
  }

  async #startUntilOneRuns(): Promise<void> {
    while (!this.#isLeaving) {
      const consumer = this.#consumer;
      try {
        await consumer.connect();
        await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
        await this.#run(consumer);
        return;
      } catch (error) {
        if (!isLoss(error)) throw error;
        // It may wait for answers that never come.
        consumer.disconnect().catch(() => undefined);
        await delay(RENEW_AFTER_MS);
        this.#consumer = this.#consumerHeard();
      }
    }
  }

  #consumerHeard(): Consumer {
    const consumer = this.#make();
    this.#listen(consumer);
    return consumer;
  }

  #listen(consumer: Consumer): void {
    const { events } = consumer;
    const teller = this.#teller;
    const isHeard = (): boolean => consumer === this.#consumer;
    consumer.on(events.REBALANCING, () => {
      if (isHeard()) teller.revokedAll();
    });
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (!isHeard()) return;
      const places = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition): Place => [topic, partition]),
      );
      teller.revokedAll();
      teller.assigned(places, payload.memberId);
    });
    consumer.on(events.HEARTBEAT, ({ payload }) => {
      if (isHeard()) teller.confirmed(payload.memberId, payload.groupGenerationId);
    });
    consumer.on(events.CRASH, ({ payload }) => {
      if (payload.restart || this.#isLeaving || !isHeard()) return;
      if (!isLoss(payload.error)) fail(payload.error);
      teller.revokedAll();
      this.#consumer = this.#consumerHeard();
      this.start().catch(fail);
    });
    consumer.on(events.COMMIT_OFFSETS, ({ payload }) => {
      this.#commits += 1;
      if (this.#options.commit !== "client") return;
      teller.committed(
        payload.topics.flatMap(({ topic, partitions }) =>
          partitions.map((each) => ({
            topic,
            partition: Number(each.partition),
            offset: Number(each.offset),
          })),
        ),
      );
    });
  }

  async #run(consumer: Consumer): Promise<void> {
    const teller = this.#teller;
    const byClient = this.#options.commit === "client";
    await consumer.run({
      autoCommit: byClient,
      ...(byClient ? { autoCommitInterval: COMMIT_INTERVAL_MS } : {}),
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
        const { topic, partition, messages } = batch;
        if (teller.hasNothing) throw new JoinAgain();
        // kafkajs goes through what it has fetched also when it joins again meanwhile.
        const { epoch } = teller;
        await teller.opened(heartbeat);
        for (const message of messages) {
          if (!isRunning() || isStale() || epoch !== teller.epoch) return;
          if (!teller.has(topic, partition)) return;
          await teller.record(recordOf(topic, partition, message));
          resolveOffset(message.offset);
          await heartbeat();
        }
      },
    });
  }
}

/** Whether the broker was gone, also where kafkajs wraps it in an error that says otherwise. */
function isLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return LOSSES.has(error.name) || isLoss(error.cause);
}
