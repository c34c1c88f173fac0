import { createRequire } from "node:module";
import { CompressionTypes, Kafka, logLevel } from "kafkajs";
import { registerCodecs } from "../../kafkajs-codecs.ts";
import type { CodecName, Place } from "../events.ts";
import { type ClientDriver, fail, placesFrom, runDriver } from "./command-line.ts";
import { recordOf, sentMessageOf } from "./kafkajs-shapes.ts";
import { tell } from "./teller.ts";

/** Whoever runs it knows how long to wait. */
const RETRY = { retries: 10_000, initialRetryTime: 50, maxRetryTime: 300 };
const COMMIT_INTERVAL_MS = 200;

const COMPRESSION: Readonly<Record<CodecName, CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

function kafkaOf(bootstrap: string): Kafka {
  return new Kafka({
    clientId: "kafkajs-driver",
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    retry: RETRY,
  });
}

const driver: ClientDriver = {
  version() {
    const { version } = createRequire(import.meta.url)("kafkajs/package.json") as {
      version: string;
    };
    return Promise.resolve({ client: version, library: `Node ${process.versions.node}` });
  },

  async produce({ bootstrap, topic, codec, idempotent }, records) {
    const producer = kafkaOf(bootstrap).producer({
      idempotent,
      ...(idempotent ? { maxInFlightRequests: 1 } : {}),
    });
    await producer.connect();
    const sent = await producer.send({
      topic,
      acks: -1,
      compression: COMPRESSION[codec],
      messages: records.map(sentMessageOf),
    });
    await producer.disconnect();
    return placesFrom(
      sent.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]),
      records,
    );
  },

  async consume(options, teller) {
    if (options.plugged) registerCodecs((codec) => tell({ event: "opened", codec }));
    const { rebalanceTimeoutMs } = options;
    const consumer = kafkaOf(options.bootstrap).consumer({
      groupId: options.group,
      sessionTimeout: options.sessionTimeoutMs,
      ...(rebalanceTimeoutMs === undefined ? {} : { rebalanceTimeout: rebalanceTimeoutMs }),
      heartbeatInterval: options.heartbeatMs,
      maxWaitTimeInMs: 200,
      retry: RETRY,
    });
    consumer.on(consumer.events.REBALANCING, () => teller.revokedAll());
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const places = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition): Place => [topic, partition]),
      );
      teller.revokedAll();
      teller.assigned(places, payload.memberId);
    });
    consumer.on(consumer.events.HEARTBEAT, ({ payload }) => {
      teller.confirmed(payload.memberId, payload.groupGenerationId);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) fail(payload.error);
    });
    const byClient = options.commit === "client";
    let commits = 0;
    consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
      commits += 1;
      if (!byClient) return;
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
    await consumer.connect();
    await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
    await consumer.run({
      autoCommit: byClient,
      ...(byClient ? { autoCommitInterval: COMMIT_INTERVAL_MS } : {}),
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
        const { topic, partition, messages } = batch;
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
    return {
      async commit(positions) {
        const before = commits;
        await consumer.commitOffsets(
          positions.map((each) => ({ ...each, offset: String(each.offset) })),
        );
        // It also resolves, with nothing committed, where the consumer stops or starts again meanwhile.
        if (commits === before) throw new Error("the consumer has stopped meanwhile");
      },
      leave: () => consumer.disconnect(),
    };
  },
};

await runDriver(driver);
