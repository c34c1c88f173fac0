import {
  ErrorCode,
  fetchApi,
  initProducerIdApi,
  listOffsetsApi,
  metadataApi,
  produceApi,
} from "@karst/kafka-protocol";
import { decodeBatch, encodeBatch, splitBatches } from "@karst/records";
import { utf8Decode, utf8Encode } from "@karst/runtime";
import assert from "node:assert/strict";
import { test } from "vitest";
import { batchOf, withFixture } from "./fixture.ts";

/** Values of all records of a fetched partition. */
function valuesOf(records: Uint8Array | null): string[] {
  return splitBatches(records ?? new Uint8Array()).flatMap((batch) =>
    decodeBatch(batch).map((record) => utf8Decode(record.value ?? new Uint8Array())),
  );
}

test("what is produced is fetched from any offset, in whole batches", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    assert.equal((await client.produce("t", batchOf("a", "b", "c"))).baseOffset, 0);
    assert.equal((await client.produce("t", batchOf("d"))).baseOffset, 3);
    const all = await client.fetch("t", 0);
    assert.deepEqual([all.errorCode, all.highWatermark], [0, 4]);
    assert.deepEqual(valuesOf(all.records), ["a", "b", "c", "d"]);
    // The batch that contains the offset comes whole.
    assert.deepEqual(valuesOf((await client.fetch("t", 1)).records), ["a", "b", "c", "d"]);
    assert.deepEqual(valuesOf((await client.fetch("t", 3)).records), ["d"]);
    assert.deepEqual(valuesOf((await client.fetch("t", 4)).records), []);
    // One batch at least, however small the limit.
    const small = await client.fetch("t", 0, { bytesMax: 1 });
    assert.deepEqual(valuesOf(small.records), ["a", "b", "c"]);
  }));

test("responses keep the order of their requests, also when a later one is ready first", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    const parked = client.sendFetch("t", 0, { maxWaitMs: 60_000 });
    const metadata = client.request(metadataApi, 4, { topics: [], allowAutoTopicCreation: false });
    const other = await connect();
    // The metadata answer waits behind the parked fetch, which the append ends.
    await other.produce("t", batchOf("wake"));
    assert.deepEqual(valuesOf((await client.fetched(parked)).records), ["wake"]);
    assert.equal((await client.receive(metadataApi, 4, metadata)).controllerId, 1);
  }));

test("a fetch waits for its minimum of bytes and is woken by the append that reaches it", () =>
  withFixture({}, async ({ connect }) => {
    const [reader, writer] = [await connect(), await connect()];
    await writer.createTopic("t");
    const first = batchOf("x".repeat(100));
    const parked = reader.sendFetch("t", 0, { maxWaitMs: 60_000, minBytes: first.length + 1 });
    await writer.produce("t", first);
    await writer.produce("t", batchOf("y"));
    assert.deepEqual(valuesOf((await reader.fetched(parked)).records), ["x".repeat(100), "y"]);
    const empty = await reader.fetch("t", 2, { maxWaitMs: 5 });
    assert.deepEqual([empty.errorCode, empty.highWatermark, valuesOf(empty.records)], [0, 2, []]);
  }));

test("a fetch waits for no more bytes than it may be answered with", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    await client.produce("t", batchOf("x".repeat(200)));
    const fetch = { maxWaitMs: 2 ** 31 - 1, minBytes: 1_000_000, bytesMax: 100 };
    const answer = await client.fetch("t", 0, fetch);
    assert.deepEqual(valuesOf(answer.records), ["x".repeat(200)]);
  }));

test("requests of one connection take effect in order while a partition opens", () =>
  withFixture({}, async ({ connect, topics }) => {
    const { topicId } = await topics.create({ name: "t", partitions: 2 });
    const client = await connect();
    // Both partitions are closed: the first request waits for them, the second must not overtake it.
    const both = client.request(produceApi, 8, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1_000,
      topicData: [
        {
          name: "t",
          partitionData: [
            { index: 0, records: batchOf("first") },
            { index: 1, records: batchOf("other") },
          ],
        },
      ],
    });
    const second = client.sendProduce("t", batchOf("second"));
    const response = await client.receive(produceApi, 8, both);
    assert.deepEqual(
      response.responses[0]?.partitionResponses.map((partition) => partition.baseOffset),
      [0, 0],
    );
    assert.equal((await client.produced(second)).baseOffset, 1);
    assert.deepEqual(valuesOf((await client.fetch("t", 0)).records), ["first", "second"]);
    assert.equal((await topics.partition(topicId, 1)).highWatermark, 1);
  }));

test("an idempotent batch that is sent twice is written once, and a gap is refused", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    const { producerId, producerEpoch, errorCode } = await client.call(initProducerIdApi, 4, {
      transactionalId: null,
      transactionTimeoutMs: 1_000,
    });
    assert.equal(errorCode, ErrorCode.NONE);
    const batch = (baseSequence: number): Uint8Array =>
      encodeBatch(
        [{ timestampMs: 1, key: null, value: utf8Encode(`v${baseSequence}`), headers: [] }],
        {
          producer: { id: producerId, epoch: producerEpoch, baseSequence },
        },
      );
    assert.equal((await client.produce("t", batch(0))).baseOffset, 0);
    assert.equal((await client.produce("t", batch(1))).baseOffset, 1);
    const again = await client.produce("t", batch(0));
    assert.deepEqual([again.errorCode, again.baseOffset], [ErrorCode.NONE, 0]);
    const gap = await client.produce("t", batch(5));
    assert.equal(gap.errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert.deepEqual(valuesOf((await client.fetch("t", 0)).records), ["v0", "v1"]);
  }));

test("acks=0 has no answer, and its failure closes the connection", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    const unanswered = (name: string): number =>
      client.request(produceApi, 8, {
        transactionalId: null,
        acks: 0,
        timeoutMs: 1_000,
        topicData: [{ name, partitionData: [{ index: 0, records: batchOf("quiet") }] }],
      });
    unanswered("t");
    // The next answer belongs to the next request.
    const answer = await client.fetch("t", 0, { maxWaitMs: 60_000 });
    assert.deepEqual(valuesOf(answer.records), ["quiet"]);
    unanswered("nowhere");
    await client.closed;
  }));

test("offsets are listed by special timestamps and by time", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    await client.produce("t", batchOf("a", "b", "c"));
    const offsetAt = async (timestamp: number, version = 7): Promise<readonly number[]> => {
      const { topics } = await client.call(listOffsetsApi, version, {
        replicaId: -1,
        isolationLevel: 1,
        topics: [{ name: "t", partitions: [{ partitionIndex: 0, timestamp }] }],
      });
      const partition = topics[0]?.partitions[0];
      return [partition?.errorCode ?? -2, partition?.timestamp ?? -2, partition?.offset ?? -2];
    };
    const t0 = 1_700_000_000_000;
    assert.deepEqual(await offsetAt(-1), [0, -1, 3]);
    assert.deepEqual(await offsetAt(-2), [0, -1, 0]);
    assert.deepEqual(await offsetAt(-3), [0, t0 + 2, 2]);
    assert.deepEqual(await offsetAt(t0 + 1), [0, t0 + 1, 1]);
    assert.deepEqual(await offsetAt(t0 + 99), [0, -1, -1]);
    assert.equal((await offsetAt(-4, 7))[0], ErrorCode.UNSUPPORTED_VERSION);
    assert.deepEqual(await offsetAt(-1, 2), [0, -1, 3]);
  }));

test("a topic is made by its first metadata request, and can be fetched by id", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    const { topics } = await client.call(metadataApi, 12, {
      topics: [{ topicId: "0".repeat(32), name: "fresh" }],
      allowAutoTopicCreation: true,
    });
    const topicId = topics[0]?.topicId ?? "";
    assert.equal(topics[0]?.errorCode, 0);
    await client.produce("fresh", batchOf("by id"));
    const byId = await client.call(fetchApi, 13, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [
        { topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }] },
      ],
    });
    assert.deepEqual(valuesOf(byId.responses[0]?.partitions[0]?.records ?? null), ["by id"]);
  }));
