import { createRequire } from "node:module";
import { CompressionTypes, type Consumer, Kafka, logLevel } from "kafkajs";
import { registerCodecs } from "../../kafkajs-codecs.ts";
import type { CodecName } from "../events.ts";
import { type ClientDriver, type ConsumeOptions, placesFrom, runDriver } from "./command-line.ts";
import { KafkajsMember } from "./kafkajs-member.ts";
import { sentMessageOf } from "./kafkajs-shapes.ts";
import { tell } from "./teller.ts";

/** Whoever runs it knows how long to wait. */
const RETRY = { retries: 10_000, initialRetryTime: 50, maxRetryTime: 300 };

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

function consumerOf(options: ConsumeOptions): Consumer {
  const { rebalanceTimeoutMs } = options;
  return kafkaOf(options.bootstrap).consumer({
    groupId: options.group,
    sessionTimeout: options.sessionTimeoutMs,
    ...(rebalanceTimeoutMs === undefined ? {} : { rebalanceTimeout: rebalanceTimeoutMs }),
    heartbeatInterval: options.heartbeatMs,
    maxWaitTimeInMs: 200,
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
    const member = new KafkajsMember(() => consumerOf(options), options, teller);
    await member.start();
    return member;
  },
};

await runDriver(driver);
