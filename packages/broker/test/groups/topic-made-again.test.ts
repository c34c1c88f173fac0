// What a group has committed for a topic goes with the topic, and is nothing to the next one of its name.
import assert from "node:assert/strict";
import {
  deleteTopicsApi,
  ErrorCode,
  findCoordinatorApi,
  offsetCommitApi,
  offsetFetchApi,
} from "@karst/kafka-protocol";
import { describe, test } from "vitest";
import type { TestClient } from "../client.ts";
import { type Fixture, withFixture } from "../fixture.ts";

const NOTHING = [0, -1, ErrorCode.NONE];
const PARTITIONS = { partitionIndexes: [0] };

/** A group has committed 42 for a topic, and 7 for another; runs `then` with the id of the first, which is gone. */
function withoutTopic(
  then: (fixture: Fixture, client: TestClient, topicId: string) => Promise<void>,
): Promise<void> {
  return withFixture({}, async (fixture) => {
    const client = await fixture.connect();
    for (const name of ["t", "other"]) await client.createTopic(name);
    const topicId = fixture.topics.byName("t")?.topicId ?? "";
    await client.call(findCoordinatorApi, 3, { key: "g", keyType: 0 });
    assert.equal(await commit(client, { name: "t" }, 9, 42), ErrorCode.NONE);
    assert.equal(await commit(client, { name: "other" }, 9, 7), ErrorCode.NONE);
    await client.call(deleteTopicsApi, 5, { topicNames: ["t"], timeoutMs: 1_000 });
    await then(fixture, client, topicId);
  });
}

async function commit(
  client: TestClient,
  topic: { readonly name: string } | { readonly topicId: string },
  version: number,
  committedOffset: number,
): Promise<number | undefined> {
  const { topics } = await client.call(offsetCommitApi, version, {
    groupId: "g",
    memberId: "",
    generationIdOrMemberEpoch: -1,
    topics: [
      { ...topic, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: "" }] },
    ],
  });
  return topics[0]?.partitions[0]?.errorCode;
}

/** Partition, offset and error of each partition that is told. */
async function fetch(
  client: TestClient,
  version: number,
  topics: readonly ({ readonly name: string } | { readonly topicId: string })[] | null,
): Promise<readonly (readonly number[])[]> {
  const { groups } = await client.call(offsetFetchApi, version, {
    groups: [{ groupId: "g", topics: topics?.map((one) => ({ ...one, ...PARTITIONS })) ?? null }],
  });
  return (groups[0]?.topics ?? []).flatMap(({ partitions }) =>
    partitions.map((one) => [one.partitionIndex, one.committedOffset, one.errorCode]),
  );
}

describe("offsets of a topic that was deleted", () => {
  test("are not told, by name or by id, or among all", () =>
    withoutTopic(async (_, client, topicId) => {
      const other = [[0, 7, ErrorCode.NONE]];
      for (const version of [8, 9, 10]) assert.deepEqual(await fetch(client, version, null), other);
      assert.deepEqual(await fetch(client, 9, [{ name: "t" }]), [NOTHING]);
      assert.deepEqual(await fetch(client, 10, [{ topicId }]), [
        [0, -1, ErrorCode.UNKNOWN_TOPIC_ID],
      ]);
    }));

  test("are not those of the next topic of its name, which has its own", () =>
    withoutTopic(async (fixture, client, topicId) => {
      await client.createTopic("t");
      const next = fixture.topics.byName("t")?.topicId ?? "";
      assert.notEqual(next, topicId);
      assert.deepEqual(await fetch(client, 9, [{ name: "t" }]), [NOTHING]);
      assert.deepEqual(await fetch(client, 10, [{ topicId: next }]), [NOTHING]);
      assert.equal(await commit(client, { name: "t" }, 9, 3), ErrorCode.NONE);
      for (const version of [8, 9, 10])
        assert.deepEqual(
          new Set((await fetch(client, version, null)).map(([, offset]) => offset)),
          new Set([3, 7]),
        );
    }));

  test("cannot be committed any more by its id, and by its name only for the next one", () =>
    withoutTopic(async (_, client, topicId) => {
      const gone = ErrorCode.UNKNOWN_TOPIC_ID;
      assert.equal(await commit(client, { topicId }, 10, 43), gone);
      assert.equal(
        await commit(client, { name: "t" }, 9, 43),
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      );
      await client.createTopic("t");
      assert.equal(await commit(client, { topicId }, 10, 43), gone);
      assert.deepEqual(await fetch(client, 9, [{ name: "t" }]), [NOTHING]);
    }));
});
