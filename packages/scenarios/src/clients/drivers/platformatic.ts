import { readFileSync } from "node:fs";
import { Consumer, ProduceAcks, Producer } from "@platformatic/kafka";
import { bytesOf, type Place } from "../events.ts";
import { type ClientDriver, fail, placesFrom, runDriver } from "./command-line.ts";
import { readRecord } from "./read-record.ts";

const driver: ClientDriver = {
  version() {
    const manifest = new URL("../package.json", import.meta.resolve("@platformatic/kafka"));
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
    return Promise.resolve({ client: version, library: `Node ${process.versions.node}` });
  },

  async produce({ bootstrap, topic, codec, idempotent }, records) {
    const producer = new Producer({
      clientId: "platformatic-driver",
      bootstrapBrokers: [bootstrap],
      idempotent,
      compression: codec,
      retries: 20,
      retryDelay: 100,
    });
    const { offsets } = await producer.send({
      acks: ProduceAcks.ALL,
      messages: records.map((record) => ({
        topic,
        partition: record.partition,
        timestamp: BigInt(record.timestamp),
        // Absent is how it says null.
        ...(record.key === null ? {} : { key: bytesOf(record.key) }),
        ...(record.value === null ? {} : { value: bytesOf(record.value) }),
        headers: new Map(
          record.headers.map(([name, value]) => [Buffer.from(name), bytesOf(value ?? "")]),
        ),
      })),
    });
    await producer.close();
    return placesFrom(
      (offsets ?? []).map(({ partition, offset }) => [partition, Number(offset)]),
      records,
    );
  },

  async consume(options, teller) {
    const { rebalanceTimeoutMs } = options;
    const consumer = new Consumer({
      clientId: "platformatic-driver",
      bootstrapBrokers: [options.bootstrap],
      groupId: options.group,
      sessionTimeout: options.sessionTimeoutMs,
      ...(rebalanceTimeoutMs === undefined ? {} : { rebalanceTimeout: rebalanceTimeoutMs }),
      heartbeatInterval: options.heartbeatMs,
      autocommit: false,
      maxWaitTime: 200,
      highWaterMark: 16,
      connectTimeout: 2_000,
      retries: 20,
      retryDelay: 100,
    });
    consumer.on("consumer:group:rebalance", () => teller.revokedAll());
    consumer.on("consumer:group:join", ({ assignments }) => {
      const places = (assignments ?? []).flatMap(({ topic, partitions }) =>
        partitions.map((partition): Place => [topic, partition]),
      );
      teller.revokedAll();
      teller.assigned(places);
    });
    const stream = await consumer.consume({
      topics: [...options.topics],
      mode: "committed",
      fallbackMode: "earliest",
      maxWaitTime: 200,
    });
    let leaving = false;
    const read = async (): Promise<void> => {
      for await (const message of stream) {
        await teller.opened();
        const headers = [...message.headers].map(([name, value]) => [String(name), value] as const);
        await teller.record(readRecord(message, headers));
      }
      if (!leaving) throw new Error("the stream has ended");
    };
    read().catch((error: unknown) => leaving || fail(error));
    return {
      commit: (positions) =>
        consumer.commit({
          offsets: positions.map((each) => ({
            ...each,
            offset: BigInt(each.offset),
            leaderEpoch: -1,
          })),
        }),
      leave: async () => {
        leaving = true;
        await stream.close();
        await consumer.close();
      },
    };
  },
};

await runDriver(driver);
