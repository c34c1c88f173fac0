import {
  ErrorCode,
  fetchApi,
  listOffsetsApi,
  offsetForLeaderEpochApi,
} from "@karst/kafka-protocol";
import { memoryObjectStore, MemoryBucket } from "@karst/objectstore";
import assert from "node:assert/strict";
import { test } from "vitest";
import type { TestClient } from "./client.ts";
import { batchOf, type Fixture, withFixture } from "./fixture.ts";

/** A topic "t" with two records under a first leader epoch, and one under a later one. */
async function withTwoEpochs(
  run: (
    fixture: Fixture,
    client: TestClient,
    epochs: readonly [first: number, second: number],
  ) => Promise<void>,
): Promise<void> {
  const objectStore = memoryObjectStore({ bucket: new MemoryBucket() });
  const epochOf = async ({ topics }: Fixture): Promise<number> =>
    (await topics.partition(topics.byName("t")?.topicId ?? "", 0)).leaderEpoch;
  let first = 0;
  await withFixture({ objectStore }, async (fixture) => {
    const client = await fixture.connect();
    await client.createTopic("t");
    await client.produce("t", batchOf("a", "b"));
    first = await epochOf(fixture);
  });
  await withFixture({ objectStore }, async (fixture) => {
    const client = await fixture.connect();
    await client.produce("t", batchOf("c"));
    const second = await epochOf(fixture);
    assert.ok(second > first);
    await run(fixture, client, [first, second]);
  });
}

for (const version of [2, 3, 4]) {
  test(`the end of each leader epoch is told in version ${version}`, () =>
    withTwoEpochs(async ({ topics }, client, [first, second]) => {
      const endOf = async (
        leaderEpoch: number,
        { topic = "t", partition = 0, currentLeaderEpoch = -1 } = {},
      ): Promise<readonly number[]> => {
        const answer = await client.call(offsetForLeaderEpochApi, version, {
          topics: [{ topic, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }],
        });
        const one = answer.topics[0]?.partitions[0];
        return [one?.errorCode ?? -2, one?.leaderEpoch ?? -2, one?.endOffset ?? -2];
      };
      assert.deepEqual(await endOf(first), [0, first, 2]);
      assert.deepEqual(await endOf(second), [0, second, 3]);
      assert.deepEqual(await endOf(first - 1), [0, first - 1, 0]);
      assert.deepEqual(await endOf(second + 1), [0, -1, -1]);
      assert.deepEqual(await endOf(-1), [0, -1, -1]);
      assert.deepEqual(await endOf(-2), [0, -2, 0]);
      assert.deepEqual(await endOf(first, { currentLeaderEpoch: second }), [0, first, 2]);
      const refused = (errorCode: number): readonly number[] => [errorCode, -1, -1];
      const { FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode;
      assert.deepEqual(
        await endOf(first, { currentLeaderEpoch: first }),
        refused(FENCED_LEADER_EPOCH),
      );
      assert.deepEqual(
        await endOf(first, { currentLeaderEpoch: -2 }),
        refused(FENCED_LEADER_EPOCH),
      );
      assert.deepEqual(
        await endOf(first, { currentLeaderEpoch: second + 1 }),
        refused(UNKNOWN_LEADER_EPOCH),
      );
      assert.deepEqual(await endOf(first, { partition: 7 }), refused(UNKNOWN_TOPIC_OR_PARTITION));
      assert.deepEqual(await endOf(first, { topic: "no" }), refused(UNKNOWN_TOPIC_OR_PARTITION));
      // What was trimmed is forgotten with its epoch.
      await (await topics.partition(topics.byName("t")?.topicId ?? "", 0)).trim(3);
      assert.deepEqual(await endOf(first), [0, first, 3]);
    }));
}

test("a client that has read what is not in the log is told from where on", () =>
  withTwoEpochs(async ({ topics }, client, [first, second]) => {
    const fetch = async (
      fetchOffset: number,
      lastFetchedEpoch: number,
    ): Promise<readonly unknown[]> => {
      const { responses } = await client.call(fetchApi, 12, {
        maxWaitMs: 60_000,
        minBytes: 1,
        topics: [
          {
            topic: "t",
            partitions: [{ partition: 0, fetchOffset, lastFetchedEpoch, partitionMaxBytes: 1_000 }],
          },
        ],
      });
      const one = responses[0]?.partitions[0];
      const { epoch, endOffset } = one?.divergingEpoch ?? { epoch: -1, endOffset: -1 };
      const hasRecords = (one?.records?.length ?? 0) > 0;
      return [one?.errorCode, epoch, endOffset, hasRecords];
    };
    assert.deepEqual(await fetch(2, first), [0, -1, -1, true]);
    assert.deepEqual(await fetch(2, second), [0, -1, -1, true]);
    // It has one record more of the first epoch than there ever was here.
    assert.deepEqual(await fetch(3, first), [0, first, 2, false]);
    assert.deepEqual(await fetch(4, second), [0, second, 3, false]);
    // An epoch that nobody knows says nothing about offsets.
    const outOfRange = [ErrorCode.OFFSET_OUT_OF_RANGE, -1, -1, false];
    assert.deepEqual(await fetch(2, second + 1), outOfRange);
    await (await topics.partition(topics.byName("t")?.topicId ?? "", 0)).trim(1);
    assert.deepEqual(await fetch(0, first), outOfRange);
  }));

test("an offset is listed with the epoch of its record", () =>
  withTwoEpochs(async (_fixture, client, [first, second]) => {
    const list = async (timestamp: number, version = 11): Promise<readonly unknown[]> => {
      const { topics } = await client.call(listOffsetsApi, version, {
        replicaId: -1,
        topics: [{ name: "t", partitions: [{ partitionIndex: 0, timestamp }] }],
      });
      const one = topics[0]?.partitions[0];
      return [one?.errorCode, one?.offset, one?.leaderEpoch];
    };
    assert.deepEqual(await list(-1), [0, 3, second]);
    assert.deepEqual(await list(-2), [0, 0, first]);
    assert.deepEqual(await list(-3), [0, 1, first]);
    assert.deepEqual(await list(-4), [0, 0, first]);
    // There is no tier.
    assert.deepEqual(await list(-5), [0, -1, -1]);
    assert.deepEqual(await list(-6), [0, -1, -1]);
    assert.deepEqual(await list(-6, 10), [ErrorCode.UNSUPPORTED_VERSION, -1, -1]);
    assert.deepEqual(await list(-7), [ErrorCode.UNSUPPORTED_VERSION, -1, -1]);
  }));

test("an epoch of -2 is one before the first to ListOffsets, and none to Fetch", () =>
  withTwoEpochs(async (_fixture, client) => {
    const currentLeaderEpoch = -2;
    const { topics } = await client.call(listOffsetsApi, 4, {
      replicaId: -1,
      topics: [
        { name: "t", partitions: [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch }] },
      ],
    });
    assert.equal(topics[0]?.partitions[0]?.errorCode, ErrorCode.FENCED_LEADER_EPOCH);
    const { responses } = await client.call(fetchApi, 9, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [
        {
          topic: "t",
          partitions: [
            { partition: 0, fetchOffset: 0, currentLeaderEpoch, partitionMaxBytes: 1_000 },
          ],
        },
      ],
    });
    assert.equal(responses[0]?.partitions[0]?.errorCode, ErrorCode.NONE);
  }));
