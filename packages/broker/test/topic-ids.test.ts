import {
  createTopicsApi,
  deleteTopicsApi,
  describeClusterApi,
  ErrorCode,
  metadataApi,
  produceApi,
  ZERO_UUID,
} from "@karst/kafka-protocol";
import assert from "node:assert/strict";
import { test } from "vitest";
import type { TestClient } from "./client.ts";
import { batchOf, type Fixture, withFixture } from "./fixture.ts";

const UNKNOWN_ID = "f".repeat(32);

/** A topic's id as its creator is told it. */
async function created(client: TestClient, name: string): Promise<string> {
  const { topics } = await client.call(createTopicsApi, 7, {
    topics: [{ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 1_000,
  });
  assert.equal(topics[0]?.errorCode, 0);
  return topics[0]?.topicId ?? "";
}

test("a topic is described by its id as by its name", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    const topicId = await created(client, "t");
    const describe = async (
      version: number,
      topic: { readonly name: string | null; readonly topicId: string },
    ): Promise<readonly unknown[]> => {
      const answer = await client.call(metadataApi, version, { topics: [topic] });
      const one = answer.topics[0];
      assert.equal(answer.topics.length, 1);
      return [one?.errorCode, one?.name, one?.topicId, one?.partitions.length];
    };
    const right = [0, "t", topicId, 2];
    assert.deepEqual(await describe(10, { name: "t", topicId: ZERO_UUID }), right);
    assert.deepEqual(await describe(12, { name: null, topicId }), right);
    assert.deepEqual(await describe(13, { name: null, topicId }), right);
    // The id alone counts.
    assert.deepEqual(await describe(13, { name: "other", topicId }), right);
    const unknown = [ErrorCode.UNKNOWN_TOPIC_ID, null, UNKNOWN_ID, 0];
    assert.deepEqual(await describe(12, { name: null, topicId: UNKNOWN_ID }), unknown);
    // These versions have the field, and no look-up by it.
    for (const version of [10, 11]) {
      const refused = [ErrorCode.INVALID_REQUEST, "", topicId, 0];
      assert.deepEqual(await describe(version, { name: null, topicId }), refused);
      refused[1] = "t";
      assert.deepEqual(await describe(version, { name: "t", topicId }), refused);
    }
  }));

test("a topic is produced to by its id, and deleted by it", () =>
  withFixture({}, async ({ connect, topics }) => {
    const client = await connect();
    const topicId = await created(client, "t");
    const produce = async (id: string): Promise<readonly unknown[]> => {
      const { responses } = await client.call(produceApi, 13, {
        acks: -1,
        timeoutMs: 1_000,
        topicData: [{ topicId: id, partitionData: [{ index: 0, records: batchOf("x") }] }],
      });
      const [topic] = responses;
      return [topic?.topicId, topic?.partitionResponses[0]?.errorCode];
    };
    assert.deepEqual(await produce(topicId), [topicId, 0]);
    assert.deepEqual(await produce(UNKNOWN_ID), [UNKNOWN_ID, ErrorCode.UNKNOWN_TOPIC_ID]);
    const remove = removing(client);
    assert.deepEqual(await remove([{ name: null, topicId }]), [["t", topicId, 0]]);
    assert.equal(topics.byName("t"), undefined);
    const gone = ErrorCode.UNKNOWN_TOPIC_ID;
    assert.deepEqual(await remove([{ name: null, topicId }]), [[null, topicId, gone]]);
    assert.deepEqual(await produce(topicId), [topicId, gone]);
  }));

test("what is named twice is not deleted, however it is named", () =>
  withFixture({}, async (fixture: Fixture) => {
    const client = await fixture.connect();
    const topicId = await created(client, "t");
    await client.createTopic("other");
    const remove = removing(client);
    const refused = ErrorCode.INVALID_REQUEST;
    const byId = { name: null, topicId };
    const byName = { name: "t", topicId: ZERO_UUID };
    assert.deepEqual(await remove([byId, byId]), [[null, topicId, refused]]);
    assert.deepEqual(await remove([byName, byName]), [["t", ZERO_UUID, refused]]);
    assert.deepEqual(await remove([byName, byId]), [["t", ZERO_UUID, refused]]);
    assert.deepEqual(await remove([{ name: "t", topicId }]), [["t", topicId, refused]]);
    const neither = { name: null, topicId: ZERO_UUID };
    const other = { name: "other", topicId: ZERO_UUID };
    const otherId = fixture.topics.byName("other")?.topicId;
    assert.deepEqual(await remove([neither, other]), [
      [null, ZERO_UUID, refused],
      ["other", otherId, 0],
    ]);
    assert.equal(fixture.topics.byName("t")?.topicId, topicId);
  }));

test("the cluster is described as one broker, its controller", () =>
  withFixture({}, async ({ connect, broker }) => {
    const client = await connect();
    const { clusterId } = await client.call(metadataApi, 12, { topics: [] });
    for (const version of [0, 1, 2]) {
      const answer = await client.call(describeClusterApi, version, {
        includeClusterAuthorizedOperations: false,
        ...(version >= 2 && { includeFencedBrokers: false }),
      });
      const { errorCode, controllerId, brokers } = answer;
      assert.deepEqual([errorCode, controllerId, answer.clusterId], [0, 1, clusterId]);
      const [one, ...others] = brokers;
      assert.deepEqual([one?.brokerId, one?.host, one?.port], [1, "127.0.0.1", broker.port]);
      assert.deepEqual(others, []);
    }
    const controllers = await client.call(describeClusterApi, 1, {
      includeClusterAuthorizedOperations: false,
      endpointType: 2,
    });
    assert.equal(controllers.errorCode, ErrorCode.MISMATCHED_ENDPOINT_TYPE);
    const unheard = await client.call(describeClusterApi, 2, {
      includeClusterAuthorizedOperations: false,
      includeFencedBrokers: false,
      endpointType: 9,
    });
    assert.equal(unheard.errorCode, ErrorCode.UNSUPPORTED_ENDPOINT_TYPE);
  }));

type Removal = (
  topics: readonly { readonly name: string | null; readonly topicId: string }[],
) => Promise<readonly unknown[]>;

function removing(client: TestClient): Removal {
  return async (topics) => {
    const { responses } = await client.call(deleteTopicsApi, 6, {
      topics: [...topics],
      timeoutMs: 1_000,
    });
    return responses.map(({ name, topicId, errorCode }) => [name, topicId, errorCode]);
  };
}
