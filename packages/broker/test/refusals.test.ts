import {
  apiVersionsApi,
  createTopicsApi,
  ErrorCode,
  listOffsetsApi,
  metadataApi,
  produceApi,
} from "@karst/kafka-protocol";
import assert from "node:assert/strict";
import { test } from "vitest";
import { batchOf, withFixture } from "./fixture.ts";

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

for (const [what, length] of [
  ["negative", -1],
  ["below a header", 3],
  ["above the limit", 2_000],
] as const) {
  test(`a frame whose length is ${what} closes the connection`, () =>
    withFixture({ limits: { firstFrameBytesMax: 1_000 } }, async ({ connect }) => {
      const client = await connect();
      client.send(int32(length));
      await client.closed;
    }));
}

test("the limit before the first valid request is lower than after it", () =>
  withFixture(
    { limits: { firstFrameBytesMax: 1_000, frameBytesMax: 10_000 } },
    async ({ connect }) => {
      const trusted = await connect();
      await trusted.createTopic("t");
      const answer = await trusted.produce("t", batchOf("x".repeat(5_000)));
      assert.equal(answer.errorCode, 0);
      const stranger = await connect();
      stranger.sendProduce("t", batchOf("x".repeat(5_000)));
      await stranger.closed;
      trusted.send(int32(10_001));
      await trusted.closed;
    },
  ));

test("a client that connects again may begin with a large request", () =>
  withFixture({}, async ({ connect }) => {
    await (await connect()).createTopic("t");
    const answer = await (await connect()).produce("t", batchOf("x".repeat(200_000)));
    assert.equal(answer.errorCode, 0);
  }));

test("a claimed length costs no memory before its bytes arrive", () =>
  withFixture({}, async ({ connect, engine }) => {
    const before = engine.memory.reservedBytes;
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect()));
    for (const client of clients) {
      await client.call(apiVersionsApi, 0, {});
      client.send(int32(100 * 1024 * 1024));
      client.send(new Uint8Array(10));
    }
    // Answered after the bytes above were taken: they share the broker's thread.
    const witness = await connect();
    await witness.call(apiVersionsApi, 0, {});
    assert.ok(
      engine.memory.reservedBytes - before <= 50 * 64 * 1024,
      String(engine.memory.reservedBytes),
    );
  }));

test("a truncated frame ends with its connection, and its memory comes back", () =>
  withFixture({}, async ({ connect, engine, broker }) => {
    const client = await connect();
    await client.createTopic("t");
    const before = engine.memory.reservedBytes;
    client.send(int32(50_000));
    client.send(new Uint8Array(20_000));
    client.end();
    await client.closed;
    const witness = await connect();
    await witness.call(apiVersionsApi, 0, {});
    assert.equal(broker.connections, 1);
    assert.equal(engine.memory.reservedBytes, before);
  }));

test("bytes after a request are ignored, as Kafka ignores them", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    // librdkafka 2.15.1: Metadata v13 of all topics, with three bytes more than it has.
    client.send(Buffer.from("000000190003000d00000003000772646b61666b610000000000010000", "hex"));
    client.send(Buffer.from("000000160003000d00000004000772646b61666b610001000000", "hex"));
    // The last byte of the correlation ids.
    assert.equal((await client.frame())[3], 3);
    assert.equal((await client.frame())[3], 4);
  }));

test("a batch with a wrong CRC is refused, and the connection lives", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    const batch = batchOf("good");
    batch[batch.length - 1] = (batch[batch.length - 1] ?? 0) ^ 1;
    assert.equal((await client.produce("t", batch)).errorCode, ErrorCode.CORRUPT_MESSAGE);
    assert.equal((await client.produce("t", batchOf("good"))).errorCode, 0);
  }));

test("each bad produce request gets the code that a Kafka broker gives", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.call(createTopicsApi, 4, {
      topics: [
        {
          name: "small",
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: "max.message.bytes", value: "200" }],
        },
      ],
      timeoutMs: 1_000,
    });
    const codeOf = async (topic: string, records: Uint8Array | null, index = 0): Promise<number> =>
      (await client.produce(topic, records, index)).errorCode;
    const two = new Uint8Array([...batchOf("a"), ...batchOf("b")]);
    const oldMagic = batchOf("a");
    oldMagic[16] = 1;
    assert.equal(await codeOf("small", batchOf("x".repeat(300))), ErrorCode.MESSAGE_TOO_LARGE);
    assert.equal(await codeOf("small", batchOf("fits")), ErrorCode.NONE);
    assert.equal(await codeOf("small", batchOf("a"), 7), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    assert.equal(await codeOf("small", batchOf("a"), -1), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    assert.equal(await codeOf("nowhere", batchOf("a")), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    assert.equal(await codeOf("small", null), ErrorCode.INVALID_RECORD);
    assert.equal(await codeOf("small", new Uint8Array(10)), ErrorCode.INVALID_RECORD);
    assert.equal(await codeOf("small", two), ErrorCode.INVALID_RECORD);
    assert.equal(await codeOf("small", oldMagic), ErrorCode.INVALID_RECORD);
    const badAcks = await client.call(produceApi, 8, {
      transactionalId: null,
      acks: 2,
      timeoutMs: 1_000,
      topicData: [{ name: "small", partitionData: [{ index: 0, records: batchOf("a") }] }],
    });
    assert.equal(
      badAcks.responses[0]?.partitionResponses[0]?.errorCode,
      ErrorCode.INVALID_REQUIRED_ACKS,
    );
  }));

test("offsets outside the log are refused", () =>
  withFixture({}, async ({ connect, topics }) => {
    const client = await connect();
    await client.createTopic("t");
    await client.produce("t", batchOf("a"));
    await client.produce("t", batchOf("b"));
    const log = await topics.partition(topics.byName("t")?.topicId ?? "", 0);
    await log.trim(1);
    const codeAt = async (offset: number): Promise<number> =>
      (await client.fetch("t", offset)).errorCode;
    assert.equal(await codeAt(0), ErrorCode.OFFSET_OUT_OF_RANGE);
    assert.equal(await codeAt(1), ErrorCode.NONE);
    assert.equal(await codeAt(2), ErrorCode.NONE);
    assert.equal(await codeAt(3), ErrorCode.OFFSET_OUT_OF_RANGE);
    assert.equal(await codeAt(-5), ErrorCode.OFFSET_OUT_OF_RANGE);
  }));

test("unknown and illegal topics get a real broker's codes", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    const codeOf = async (name: string, create: boolean): Promise<number | undefined> => {
      const request = { topics: [{ name }], allowAutoTopicCreation: create };
      return (await client.call(metadataApi, 4, request)).topics[0]?.errorCode;
    };
    assert.equal(await codeOf("unknown", false), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    for (const illegal of ["no/slash", "", "..", "x".repeat(250), "ü"]) {
      assert.equal(await codeOf(illegal, true), ErrorCode.INVALID_TOPIC_EXCEPTION, illegal);
    }
    assert.equal(await codeOf("__proto__", true), ErrorCode.NONE);
    assert.equal(await codeOf("constructor", true), ErrorCode.NONE);
    const listed = await client.call(listOffsetsApi, 1, {
      replicaId: -1,
      topics: [{ name: "unknown", partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    });
    assert.equal(listed.topics[0]?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  }));

test("an ApiVersions version from the future is answered in version 0", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    // apiKey 18, version 99, correlation id 7, and a body that nobody can parse.
    client.send(int32(14));
    client.send(new Uint8Array([0, 18, 0, 99, 0, 0, 0, 7, 255, 255, 1, 2, 3, 4]));
    const frame = await client.frame();
    const body = apiVersionsApi.response.decode(0, frame.subarray(4));
    assert.equal(body.errorCode, ErrorCode.UNSUPPORTED_VERSION);
    assert.deepEqual(body.apiKeys, [{ apiKey: 18, minVersion: 0, maxVersion: 4 }]);
    const known = await client.call(apiVersionsApi, 3, {
      clientSoftwareName: "test",
      clientSoftwareVersion: "1.0",
    });
    const produce = known.apiKeys.find((api) => api.apiKey === 0);
    assert.deepEqual([produce?.minVersion, produce?.maxVersion], [0, 13]);
    const nameless = await client.call(apiVersionsApi, 3, {
      clientSoftwareName: "bad name!",
      clientSoftwareVersion: "1.0",
    });
    assert.equal(nameless.errorCode, ErrorCode.INVALID_REQUEST);
  }));

for (const [what, header] of [
  ["an unknown API", [3, 232, 0, 0]],
  ["a Produce version before batches of format 2", [0, 0, 0, 2]],
  ["a Fetch version from the future", [0, 1, 0, 99]],
  ["an API that others serve", [0, 10, 0, 0]],
] as const) {
  test(`${what} closes the connection`, () =>
    withFixture({}, async ({ connect }) => {
      const client = await connect();
      client.send(int32(10));
      client.send(new Uint8Array([...header, 0, 0, 0, 1, 255, 255]));
      await client.closed;
    }));
}

test("a request of more elements than are allowed closes its connection, whatever its arrays", () =>
  withFixture({ limits: { requestEntriesMax: 10 } }, async ({ connect }) => {
    const client = await connect();
    const named = (count: number): { readonly name: string }[] =>
      Array.from({ length: count }, (_, n) => ({ name: `t${n}` }));
    const { topics } = await client.call(metadataApi, 4, {
      topics: named(10),
      allowAutoTopicCreation: false,
    });
    assert.equal(topics.length, 10);
    client.request(metadataApi, 4, { topics: named(11), allowAutoTopicCreation: false });
    await client.closed;
    const other = await connect();
    other.request(listOffsetsApi, 1, {
      replicaId: -1,
      topics: named(2).map(({ name }) => ({
        name,
        partitions: [0, 1, 2, 3, 4].map((partitionIndex) => ({ partitionIndex, timestamp: -1 })),
      })),
    });
    await other.closed;
  }));

test("one connection too many is closed, and there is room again when one ends", () =>
  withFixture({ limits: { connectionsMax: 2 } }, async ({ connect }) => {
    const [first, second] = [await connect(), await connect()];
    await first.call(apiVersionsApi, 0, {});
    await second.call(apiVersionsApi, 0, {});
    const third = await connect();
    await third.closed;
    first.end();
    await first.closed;
    const fourth = await connect();
    await fourth.call(apiVersionsApi, 0, {});
  }));

test("a client that does not take its responses is not read from, and others go on", () =>
  withFixture(
    { limits: { responseBytesMax: 1_000, requestsInFlightMax: 4 } },
    async ({ connect }) => {
      const slow = await connect();
      await slow.createTopic("t");
      await slow.produce("t", batchOf("x".repeat(1_000)));
      const ids = Array.from({ length: 40 }, () => slow.sendFetch("t", 0));
      const other = await connect();
      await other.produce("t", batchOf("y"));
      for (const id of ids) assert.equal((await slow.fetched(id)).errorCode, 0);
    },
  ));
