// Answers that Apache Kafka 4.2 gives, where ours were once different (`npm run verify -- oracle`).
import { TOPIC_CONFIGS } from "@karst/core";
import {
  createTopicsApi,
  deleteTopicsApi,
  ErrorCode,
  initProducerIdApi,
  listOffsetsApi,
  metadataApi,
  produceApi,
} from "@karst/kafka-protocol";
import assert from "node:assert/strict";
import { test } from "vitest";
import { batchOf, withFixture } from "./fixture.ts";

const counts = { numPartitions: 1, replicationFactor: 1, assignments: [] };

test("a topic that is named twice is answered once", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    const twice = { ...counts, name: "twice", configs: [] };
    const made = await client.call(createTopicsApi, 7, { topics: [twice, twice] });
    assert.deepEqual(
      made.topics.map(({ name, errorCode }) => [name, errorCode]),
      [["twice", ErrorCode.INVALID_REQUEST]],
    );
    const { topics } = await client.call(metadataApi, 9, {
      topics: [{ name: "t" }, { name: "t" }],
    });
    assert.deepEqual(
      topics.map(({ name }) => name),
      ["t"],
    );
    const wanted = [{ partitionIndex: 0, timestamp: -1 }];
    const offsets = await client.call(listOffsetsApi, 6, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: "t", partitions: [...wanted, ...wanted] }],
    });
    assert.deepEqual(
      offsets.topics[0]?.partitions.map(({ errorCode }) => errorCode),
      [ErrorCode.INVALID_REQUEST],
    );
    const removed = await client.call(deleteTopicsApi, 5, { topicNames: ["t", "t"], timeoutMs: 1 });
    assert.deepEqual(
      removed.responses.map(({ errorCode }) => errorCode),
      [ErrorCode.INVALID_REQUEST],
    );
  }));

test("a new topic is answered with every configuration that holds for it; the last of two counts", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    const configs = ["1000", "2000"].map((value) => ({ name: "retention.ms", value }));
    const made = await client.call(createTopicsApi, 5, {
      topics: [{ ...counts, name: "t", configs }],
    });
    const answered = made.topics[0]?.configs ?? [];
    assert.deepEqual(answered.map(({ name }) => name).sort(), Object.keys(TOPIC_CONFIGS).sort());
    const sources = new Map(
      answered.map(({ name, value, configSource }) => [name, [value, configSource]]),
    );
    assert.deepEqual(sources.get("retention.ms"), ["2000", 1]);
    assert.deepEqual(sources.get("segment.ms"), ["604800000", 5]);
  }));

test("metadata goes by the id where one is given, and tells the operations that are asked for", () =>
  withFixture({}, async ({ connect, topics }) => {
    const client = await connect();
    await client.createTopic("a");
    await client.createTopic("b");
    const topicId = topics.byName("a")?.topicId ?? "";
    const byId = await client.call(metadataApi, 12, { topics: [{ name: "b", topicId }] });
    assert.equal(byId.topics[0]?.name, "a");
    const asked = await client.call(metadataApi, 10, {
      topics: [{ name: "a" }],
      includeTopicAuthorizedOperations: true,
      includeClusterAuthorizedOperations: true,
    });
    assert.equal(asked.topics[0]?.topicAuthorizedOperations, 3_576);
    assert.equal(asked.clusterAuthorizedOperations, 8_096);
    const unasked = await client.call(metadataApi, 10, { topics: [{ name: "a" }] });
    assert.equal(unasked.topics[0]?.topicAuthorizedOperations, -2_147_483_648);
  }));

test("a producer id without its epoch, or an epoch without an id, is refused", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    for (const [producerId, producerEpoch, errorCode] of [
      [5, -1, ErrorCode.INVALID_REQUEST],
      [-1, 0, ErrorCode.INVALID_REQUEST],
      [5, 0, ErrorCode.NONE],
    ] as const) {
      const answer = await client.call(initProducerIdApi, 4, {
        transactionalId: null,
        transactionTimeoutMs: 1_000,
        producerId,
        producerEpoch,
      });
      assert.equal(answer.errorCode, errorCode);
    }
  }));

test("an unknown partition is told before bad acks; a batch that is cut off is no record", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    const records = batchOf("a");
    const answer = await client.call(produceApi, 9, {
      acks: 2,
      timeoutMs: 1_000,
      topicData: [{ name: "t", partitionData: [0, 1].map((index) => ({ index, records })) }],
    });
    assert.deepEqual(
      answer.responses[0]?.partitionResponses.map(({ errorCode }) => errorCode),
      [ErrorCode.INVALID_REQUIRED_ACKS, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    );
    const cut = await client.produce("t", records.subarray(0, 65));
    assert.equal(cut.errorCode, ErrorCode.INVALID_RECORD);
  }));

test("a transactional id does no harm to a batch that is not transactional", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    const answer = await client.call(produceApi, 9, {
      transactionalId: "tx",
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: "t", partitionData: [{ index: 0, records: batchOf("a") }] }],
    });
    assert.equal(answer.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.NONE);
  }));
