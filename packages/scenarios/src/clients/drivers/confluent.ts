import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { base64Of, bytesOf, type DriverRecord, type Place } from "../events.ts";
import { type ClientDriver, runDriver } from "./command-line.ts";
import { Positions } from "./positions.ts";

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

type Headers = Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | null>>;

interface EachMessage {
  readonly topic: string;
  readonly partition: number;
  readonly message: {
    readonly offset: string;
    readonly timestamp: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers?: Headers;
  };
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
    const sent = await producer.send({ topic, messages: records.map(messageOf) });
    await producer.disconnect();
    const next = new Map<number, number>();
    for (const { partition, errorCode, baseOffset } of sent) {
      if (errorCode !== 0) throw new Error(`partition ${partition}: error ${errorCode}`);
      next.set(partition, Number(baseOffset));
    }
    return records.map(({ partition }) => {
      const offset = next.get(partition) ?? NaN;
      next.set(partition, offset + 1);
      return { partition, offset };
    });
  },

  async consume(options, teller) {
    const positions = new Positions();
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
        if (error.code === confluent.CODES.ERRORS["ERR__ASSIGN_PARTITIONS"]) {
          positions.assign(places);
          teller.assigned(places);
        } else {
          positions.revoke(places);
          teller.revoked(places);
        }
      },
    });
    await consumer.connect();
    await consumer.subscribe({ topics: options.topics });
    await consumer.run({
      eachMessage: ({ topic, partition, message }) => {
        const offset = Number(message.offset);
        positions.told([topic, partition], offset);
        teller.record({
          topic,
          partition,
          offset,
          timestamp: Number(message.timestamp),
          key: base64Of(message.key),
          value: base64Of(message.value),
          headers: pairsOf(message.headers ?? {}),
        });
        return Promise.resolve();
      },
    });
    return {
      async commit() {
        const offsets = positions
          .toCommit()
          .map((each) => ({ ...each, offset: String(each.offset) }));
        if (offsets.length === 0) return;
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

function messageOf(record: DriverRecord): object {
  const lists = new Map<string, Buffer[]>();
  for (const [name, value] of record.headers)
    lists.set(name, [...(lists.get(name) ?? []), bytesOf(value ?? "")]);
  return {
    partition: record.partition,
    timestamp: String(record.timestamp),
    key: bytesOf(record.key),
    value: bytesOf(record.value),
    headers: Object.fromEntries(
      [...lists].map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
    ),
  };
}

function pairsOf(headers: Headers): [string, string | null][] {
  return Object.entries(headers).flatMap(([name, values]) =>
    (Array.isArray(values) ? (values as readonly (Buffer | string)[]) : [values]).map(
      (value): [string, string | null] => [name, base64Of(value as Buffer | string | null)],
    ),
  );
}

await runDriver(driver);
