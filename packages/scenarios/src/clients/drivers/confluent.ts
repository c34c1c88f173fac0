import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Place } from "../events.ts";
import { type ClientDriver, placesFrom, runDriver } from "./command-line.ts";
import { type ReceivedMessage, recordOf, sentMessageOf } from "./kafkajs-shapes.ts";

/** What is used of the package, which is installed outside the workspace: it is built for minutes. */
interface ConfluentKafka {
  readonly librdkafkaVersion: string;
  readonly CODES: { readonly ERRORS: Readonly<Record<string, number>> };
  readonly KafkaJS: {
    readonly Kafka: new (settings: object) => {
      producer(settings: object): {
        connect(): Promise<void>;
        send(batch: object): Promise<readonly SentBatch[]>;
        disconnect(): Promise<void>;
      };
      consumer(settings: object): {
        connect(): Promise<void>;
        subscribe(what: { readonly topics: readonly string[] }): Promise<void>;
        run(how: { eachMessage(payload: EachMessage): Promise<void> }): Promise<void>;
        commitOffsets(offsets: readonly OffsetOf[]): Promise<void>;
        committed(places: readonly OffsetOf[]): Promise<readonly OffsetOf[]>;
        disconnect(): Promise<void>;
      };
    };
    readonly logLevel: { readonly NOTHING: number };
  };
}

interface SentBatch {
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset?: string;
}

interface EachMessage {
  readonly topic: string;
  readonly partition: number;
  readonly message: ReceivedMessage;
}

const POLL_MS = 20;
const NAME = "@confluentinc/kafka-javascript";
const load = createRequire(join(process.env["KARST_CLIENT_FOLDER"] ?? ".", "package.json"));
const confluent = load(NAME) as ConfluentKafka;
const { Kafka, logLevel } = confluent.KafkaJS;

const driver: ClientDriver = {
  version() {
    const { version } = load(`${NAME}/package.json`) as { version: string };
    return Promise.resolve({
      client: version,
      library: `librdkafka ${confluent.librdkafkaVersion}, Node ${process.versions.node}`,
    });
  },

  async produce({ bootstrap, topic, codec, idempotent }, records) {
    const kafka = new Kafka({ kafkaJS: { brokers: [bootstrap], logLevel: logLevel.NOTHING } });
    const producer = kafka.producer({ kafkaJS: { idempotent, acks: -1, compression: codec } });
    await producer.connect();
    const sent = await producer.send({ topic, messages: records.map(sentMessageOf) });
    await producer.disconnect();
    for (const { partition, errorCode } of sent)
      if (errorCode !== 0) throw new Error(`partition ${partition}: error ${errorCode}`);
    return placesFrom(
      sent.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]),
      records,
    );
  },

  async consume(options, teller) {
    const kafka = new Kafka({
      kafkaJS: { brokers: [options.bootstrap], logLevel: logLevel.NOTHING },
    });
    const consumer = kafka.consumer({
      kafkaJS: {
        groupId: options.group,
        fromBeginning: true,
        autoCommit: false,
        sessionTimeout: options.sessionTimeoutMs,
        heartbeatInterval: options.heartbeatMs,
        partitionAssigners: [options.assignor],
        maxWaitTimeInMs: 200,
      },
      "check.crcs": true,
      rebalance_cb: (error: { readonly code: number }, partitions: readonly RebalancedPart[]) => {
        const places = partitions.map(({ topic, partition }): Place => [topic, partition]);
        const isAssigned = error.code === confluent.CODES.ERRORS["ERR__ASSIGN_PARTITIONS"];
        if (isAssigned) teller.assigned(places);
        else teller.revoked(places);
      },
    });
    await consumer.connect();
    await consumer.subscribe({ topics: options.topics });
    await consumer.run({
      eachMessage: async ({ topic, partition, message }) => {
        await teller.opened();
        await teller.record(recordOf(topic, partition, message));
      },
    });
    return {
      async commit(positions) {
        const offsets = positions.map((each) => ({ ...each, offset: String(each.offset) }));
        // Resolves as soon as the commit is on its way.
        await consumer.commitOffsets(offsets);
        while (!sameOffsets(offsets, await consumer.committed(offsets))) await delay(POLL_MS);
      },
      leave: () => consumer.disconnect(),
    };
  },
};

interface OffsetOf {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

function sameOffsets(wanted: readonly OffsetOf[], found: readonly OffsetOf[]): boolean {
  return wanted.every(({ topic, partition, offset }) =>
    found.some(
      (each) => each.topic === topic && each.partition === partition && each.offset === offset,
    ),
  );
}

interface RebalancedPart {
  readonly topic: string;
  readonly partition: number;
}

await runDriver(driver);
