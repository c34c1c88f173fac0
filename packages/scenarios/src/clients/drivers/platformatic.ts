import { readFileSync } from "node:fs";
import { Consumer, type Message, ProduceAcks, Producer } from "@platformatic/kafka";
import { base64Of, bytesOf, type Place } from "../events.ts";
import { type ClientDriver, fail, runDriver } from "./command-line.ts";
import { Positions } from "./positions.ts";

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
    const next = new Map(
      (offsets ?? []).map((each) => [each.partition, Number(each.offset)] as const),
    );
    return records.map(({ partition }) => {
      const offset = next.get(partition) ?? NaN;
      next.set(partition, offset + 1);
      return { partition, offset };
    });
  },

  async consume(options, teller) {
    const consumer = new Consumer({
      clientId: "platformatic-driver",
      bootstrapBrokers: [options.bootstrap],
      groupId: options.group,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: options.heartbeatMs,
      autocommit: false,
      maxWaitTime: 200,
      retries: 20,
      retryDelay: 100,
    });
    const positions = new Positions();
    const revokeAll = (): void => {
      const { held } = positions;
      if (held.length === 0) return;
      positions.revoke(held);
      teller.revoked(held);
    };
    consumer.on("consumer:group:rebalance", revokeAll);
    consumer.on("consumer:group:join", ({ assignments }) => {
      const places = (assignments ?? []).flatMap(({ topic, partitions }) =>
        partitions.map((partition): Place => [topic, partition]),
      );
      revokeAll();
      positions.assign(places);
      teller.assigned(places);
    });
    const stream = await consumer.consume({
      topics: [...options.topics],
      mode: "committed",
      fallbackMode: "earliest",
      maxWaitTime: 200,
    });
    stream.on("error", fail);
    stream.on("data", (message: Message<Buffer, Buffer, Buffer, Buffer>) => {
      const { topic, partition } = message;
      const offset = Number(message.offset);
      positions.told([topic, partition], offset);
      teller.record({
        topic,
        partition,
        offset,
        timestamp: Number(message.timestamp),
        key: base64Of(message.key),
        value: base64Of(message.value),
        headers: [...message.headers].map(([name, value]) => [String(name), base64Of(value)]),
      });
    });
    return {
      commit: () =>
        consumer.commit({
          offsets: positions
            .toCommit()
            .map((each) => ({ ...each, offset: BigInt(each.offset), leaderEpoch: -1 })),
        }),
      leave: async () => {
        await stream.close();
        await consumer.close();
      },
    };
  },
};

await runDriver(driver);
