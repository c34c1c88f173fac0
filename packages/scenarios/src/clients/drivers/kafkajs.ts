import { createRequire } from "node:module";
import { CompressionTypes, type IHeaders, Kafka, logLevel } from "kafkajs";
import { base64Of, bytesOf, type CodecName, type DriverRecord, type Place } from "../events.ts";
import { type ClientDriver, fail, runDriver } from "./command-line.ts";
import { Positions } from "./positions.ts";

const RETRY = { retries: 20, initialRetryTime: 50, maxRetryTime: 500 };

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
    const result = await producer.send({
      topic,
      acks: -1,
      compression: COMPRESSION[codec],
      messages: records.map((record) => ({
        partition: record.partition,
        timestamp: String(record.timestamp),
        key: bytesOf(record.key),
        value: bytesOf(record.value),
        headers: headersOf(record),
      })),
    });
    await producer.disconnect();
    const next = new Map(result.map((each) => [each.partition, Number(each.baseOffset)]));
    return records.map(({ partition }) => {
      const offset = next.get(partition) ?? NaN;
      next.set(partition, offset + 1);
      return { partition, offset };
    });
  },

  async consume(options, teller) {
    const consumer = kafkaOf(options.bootstrap).consumer({
      groupId: options.group,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: options.heartbeatMs,
      maxWaitTimeInMs: 200,
      retry: RETRY,
    });
    const positions = new Positions();
    const revokeAll = (): void => {
      const { held } = positions;
      if (held.length === 0) return;
      positions.revoke(held);
      teller.revoked(held);
    };
    consumer.on(consumer.events.REBALANCING, revokeAll);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const places = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition): Place => [topic, partition]),
      );
      revokeAll();
      positions.assign(places);
      teller.assigned(places);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) fail(payload.error);
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
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
      commit: () =>
        consumer.commitOffsets(
          positions.toCommit().map((each) => ({ ...each, offset: String(each.offset) })),
        ),
      leave: () => consumer.disconnect(),
    };
  },
};

/** Values of one name are a list. */
function headersOf(record: DriverRecord): IHeaders {
  const lists = new Map<string, Buffer[]>();
  for (const [name, value] of record.headers)
    lists.set(name, [...(lists.get(name) ?? []), bytesOf(value ?? "")]);
  return Object.fromEntries(
    [...lists].map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}

function pairsOf(headers: IHeaders): [string, string | null][] {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values]
      .flat()
      .map((value): [string, string | null] => [name, base64Of(value as Buffer | undefined)]),
  );
}

await runDriver(driver);
