import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Consumer, Producer, stringDeserializers, stringSerializers } from "@platformatic/kafka";
import { open } from "karst";
import { test } from "vitest";
import { readByKcat } from "../dist/index.js";
import { inWorld, kcatIsMissing, rowsOf } from "./world.ts";

const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
const ROWS = rowsOf(0, 600);

/** Key and value as the other tests' readers and writers have them: the row's id, its text. */
async function produceByKcat(bootstrap: string, topic: string, codec: string): Promise<void> {
  const args = ["-P", "-E", "-b", bootstrap, "-t", topic, "-p", "0", "-K", "\t", "-z", codec];
  const kcat = spawn("kcat", [...args, "-X", "linger.ms=200"], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  kcat.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  kcat.stdin.end(ROWS.map(({ id, value }) => `${id}\t${value}\n`).join(""));
  const [code] = (await once(kcat, "close")) as [number | null];
  if (code !== 0) throw new Error(`kcat ended with ${code}: ${said.trim()}`);
}

test.skipIf(kcatIsMissing)(
  "kcat reads what is appended in any codec, and the other way round",
  () =>
    inWorld(async (world) => {
      const root = `file:${world.data}`;
      const first = await open({ root });
      for (const compression of CODECS) {
        const topic = first.topic(`karst-${compression}`, { compression });
        await topic.append(ROWS.map(({ id, value }) => ({ key: String(id), value })));
        await Promise.all(ROWS.map(({ id, value }) => topic.append({ key: String(id), value })));
      }
      await first.close();

      const server = await world.serve();
      for (const codec of CODECS) {
        const read = await readByKcat(server.address, `karst-${codec}`);
        assert.deepEqual(
          read.map(({ id, value }) => ({ id, value })),
          [...ROWS, ...ROWS].map(({ id, value }) => ({ id, value })),
          codec,
        );
        await produceByKcat(server.address, `kcat-${codec}`, codec);
      }
      await server.stop();

      const second = await open({ root });
      try {
        for (const codec of CODECS) {
          const read: unknown[] = [];
          for await (const record of second.topic(`kcat-${codec}`, { autoCreate: false }).read()) {
            read.push({
              id: Number(new TextDecoder().decode(record.key ?? undefined)),
              value: record.text(),
            });
          }
          assert.deepEqual(
            read,
            ROWS.map(({ id, value }) => ({ id, value })),
            codec,
          );
        }
      } finally {
        await second.close();
      }
    }),
);

/** Its values, in order, of a topic with so many records. @throws what the client says. */
async function readByPlatformatic(
  bootstrap: string,
  topic: string,
  count: number,
): Promise<readonly string[]> {
  const consumer = new Consumer({
    clientId: "reader",
    groupId: `readers-of-${topic}`,
    bootstrapBrokers: [bootstrap],
    deserializers: stringDeserializers,
    maxWaitTime: 100,
    retries: 2,
    retryDelay: 50,
  });
  try {
    const values: string[] = [];
    for await (const { value } of await consumer.consume({ topics: [topic], mode: "earliest" })) {
      values.push(value);
      if (values.length === count) break;
    }
    return values;
  } finally {
    await new Promise<void>((resolve) => {
      consumer.close(true, () => resolve());
    });
  }
}

test.skipIf(kcatIsMissing)(
  "@platformatic/kafka 1.35 opens snappy as librdkafka and itself write it, and fails at the frames that we and Java write",
  () =>
    inWorld(async (world) => {
      const engine = await open({ root: `file:${world.data}` });
      const values = ROWS.map(({ value }) => value);
      for (const compression of ["lz4", "snappy"] as const)
        await engine
          .topic(`karst-${compression}`, { compression, partitions: 1 })
          .append(ROWS.map(({ id, value }) => ({ key: String(id), value })));
      await engine.close();

      const server = await world.serve();
      const { address } = server;
      await produceByKcat(address, "kcat-snappy", "snappy");
      const producer = new Producer({
        clientId: "writer",
        bootstrapBrokers: [address],
        serializers: stringSerializers,
        compression: "snappy",
        autocreateTopics: true,
      });
      await producer.send({ messages: values.map((value) => ({ topic: "own-snappy", value })) });
      await producer.close();

      for (const topic of ["karst-lz4", "kcat-snappy", "own-snappy"])
        assert.deepEqual(await readByPlatformatic(address, topic, ROWS.length), values, topic);
      await assert.rejects(
        readByPlatformatic(address, "karst-snappy", ROWS.length),
        (error: AggregateError) =>
          error.message === "fetch failed 3 times." &&
          error.errors.every((each) => String(each) === "RuntimeError: unreachable"),
      );
      await server.stop();
    }),
);
