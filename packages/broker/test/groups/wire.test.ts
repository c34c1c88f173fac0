import assert from "node:assert/strict";
import {
  deleteGroupsApi,
  describeGroupsApi,
  ErrorCode,
  findCoordinatorApi,
  heartbeatApi,
  joinGroupApi,
  type JoinGroupRequestInput,
  leaveGroupApi,
  listGroupsApi,
  offsetCommitApi,
  type OffsetCommitRequestInput,
  offsetDeleteApi,
  offsetFetchApi,
  syncGroupApi,
} from "@karst/kafka-protocol";
import { concatBytes, copyOf, utf8Decode, utf8Encode } from "@karst/runtime";
import { describe, test } from "vitest";
import type { TestClient } from "../client.ts";
import { type Fixture, withFixture } from "../fixture.ts";

const SUBSCRIPTION = concatBytes([
  Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 1),
  utf8Encode("t"),
  new Uint8Array(4),
]);

const PROTOCOL = { protocolType: "consumer", protocolName: "range" };

function versions(api: { readonly versions: { readonly min: number; readonly max: number } }) {
  const { min, max } = api.versions;
  return Array.from({ length: max - min + 1 }, (_, at) => min + at);
}

function withGroups(run: (fixture: Fixture, client: TestClient) => Promise<void>): Promise<void> {
  return withFixture({}, async (fixture) => {
    const client = await fixture.connect();
    await client.createTopic("t", 3);
    const found = await client.call(findCoordinatorApi, 3, { key: "g", keyType: 0 });
    assert.equal(found.errorCode, ErrorCode.NONE);
    await run(fixture, client);
  });
}

function joinRequest(options: Partial<JoinGroupRequestInput> = {}): JoinGroupRequestInput {
  return {
    groupId: "g",
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 60_000,
    memberId: "",
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: copyOf(SUBSCRIPTION) }],
    ...options,
  };
}

/** Joins as a new member; twice where an id has to be got first. */
async function join(client: TestClient, version: number, groupId: string, instanceId?: string) {
  const options = { groupId, ...(instanceId !== undefined && { groupInstanceId: instanceId }) };
  const first = await client.call(joinGroupApi, version, joinRequest(options));
  if (first.errorCode !== ErrorCode.MEMBER_ID_REQUIRED) return first;
  assert(version >= 4);
  return await client.call(
    joinGroupApi,
    version,
    joinRequest({ ...options, memberId: first.memberId }),
  );
}

async function stable(client: TestClient, groupId: string, version = 5) {
  const joined = await join(client, version, groupId);
  assert.equal(joined.errorCode, ErrorCode.NONE);
  const { memberId, generationId } = joined;
  const assignments = [{ memberId, assignment: utf8Encode("all") }];
  const request = { groupId, generationId, memberId, assignments };
  const synced = await client.call(syncGroupApi, 3, request);
  assert.equal(synced.errorCode, ErrorCode.NONE);
  return { memberId, generationId };
}

function topicIdOf(fixture: Fixture): string {
  return fixture.topics.byName("t")?.topicId ?? "";
}

function commitRequest(
  fixture: Fixture,
  groupId: string,
  version: number,
  offset: number,
  by: { readonly memberId: string; readonly generationId: number } = {
    memberId: "",
    generationId: -1,
  },
): OffsetCommitRequestInput {
  const topic = version >= 10 ? { topicId: topicIdOf(fixture) } : { name: "t" };
  return {
    groupId,
    memberId: by.memberId,
    generationIdOrMemberEpoch: by.generationId,
    topics: [
      {
        ...topic,
        partitions: [
          { partitionIndex: 0, committedOffset: offset, committedMetadata: `at ${offset}` },
          { partitionIndex: 9, committedOffset: offset, committedMetadata: null },
        ],
      },
    ],
  };
}

describe("every version", () => {
  test.each(versions(findCoordinatorApi))("FindCoordinator %i", (version) =>
    withGroups(async ({ broker }, client) => {
      const { errorCode, nodeId, host, port, coordinators } = await client.call(
        findCoordinatorApi,
        version,
        version >= 4 ? { keyType: 0, coordinatorKeys: ["g", "h"] } : { key: "g" },
      );
      const where = { nodeId: 1, host: "127.0.0.1", port: broker.port };
      if (version < 4) assert.deepEqual([errorCode, { nodeId, host, port }], [0, where]);
      else {
        const extra = { errorCode: 0, errorMessage: null };
        assert.deepEqual(coordinators, [
          { key: "g", ...where, ...extra },
          { key: "h", ...where, ...extra },
        ]);
      }
      if (version === 0) return;
      const transactions = await client.call(findCoordinatorApi, version, {
        keyType: 1,
        ...(version >= 4 ? { coordinatorKeys: ["x"] } : { key: "x" }),
      });
      const code = version >= 4 ? transactions.coordinators[0]?.errorCode : transactions.errorCode;
      assert.equal(code, ErrorCode.INVALID_REQUEST);
    }),
  );

  test.each(versions(joinGroupApi))("JoinGroup %i", (version) =>
    withGroups(async (_, client) => {
      const joined = await join(client, version, "g");
      assert.equal(joined.errorCode, ErrorCode.NONE);
      assert.equal(joined.generationId, 1);
      assert.equal(joined.protocolName, "range");
      assert.equal(joined.protocolType, version >= 7 ? "consumer" : null);
      assert.equal(joined.leader, joined.memberId);
      assert.match(joined.memberId, /^test-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.deepEqual(
        joined.members.map(({ metadata }) => copyOf(metadata)),
        [SUBSCRIPTION],
      );
      const refused = await client.call(joinGroupApi, version, joinRequest({ memberId: "nobody" }));
      assert.deepEqual(
        [refused.errorCode, refused.generationId, refused.protocolName, refused.memberId],
        [ErrorCode.UNKNOWN_MEMBER_ID, -1, version >= 7 ? null : "", "nobody"],
      );
    }),
  );

  test.each(versions(syncGroupApi))("SyncGroup %i", (version) =>
    withGroups(async (_, client) => {
      const { memberId, generationId } = await join(client, 5, "g");
      const assignments = [{ memberId, assignment: utf8Encode("mine") }];
      const protocol = version >= 5 ? PROTOCOL : {};
      const request = { groupId: "g", generationId, memberId, assignments, ...protocol };
      const synced = await client.call(syncGroupApi, version, request);
      assert.equal(utf8Decode(synced.assignment), "mine");
      assert.equal(synced.protocolName, version >= 5 ? "range" : null);
      const nameless = await client.call(syncGroupApi, version, { ...request, groupId: "" });
      assert.equal(nameless.errorCode, ErrorCode.INVALID_GROUP_ID);
      for (const unsaid of version >= 5 ? ["protocolType", "protocolName"] : []) {
        const answer = await client.call(syncGroupApi, version, { ...request, [unsaid]: null });
        assert.equal(answer.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL, unsaid);
      }
      const refused = await client.call(syncGroupApi, version, { ...request, generationId: 7 });
      assert.equal(refused.errorCode, ErrorCode.ILLEGAL_GENERATION);
      assert.equal(refused.assignment.length, 0);
    }),
  );

  test.each(versions(heartbeatApi))("Heartbeat %i", (version) =>
    withGroups(async (_, client) => {
      const by = await stable(client, "g");
      const beat = async (request: { memberId: string; generationId: number; groupId?: string }) =>
        (await client.call(heartbeatApi, version, { groupId: "g", ...request })).errorCode;
      assert.equal(await beat(by), ErrorCode.NONE);
      assert.equal(await beat({ ...by, generationId: 0 }), ErrorCode.ILLEGAL_GENERATION);
      assert.equal(await beat({ ...by, groupId: "" }), ErrorCode.INVALID_GROUP_ID);
      assert.equal(await beat({ ...by, memberId: "x" }), ErrorCode.UNKNOWN_MEMBER_ID);
    }),
  );

  test.each(versions(leaveGroupApi))("LeaveGroup %i", (version) =>
    withGroups(async (_, client) => {
      const { memberId } = await stable(client, "g");
      const leave = (groupId: string, ...ids: string[]) =>
        client.call(
          leaveGroupApi,
          version,
          version >= 3
            ? { groupId, members: ids.map((id) => ({ memberId: id })) }
            : { groupId, memberId: ids[0] ?? "" },
        );
      assert.equal((await leave("", "x")).errorCode, ErrorCode.INVALID_GROUP_ID);
      const other = await leave("other", "x");
      if (version < 3) {
        assert.equal(other.errorCode, ErrorCode.UNKNOWN_MEMBER_ID);
        assert.equal((await leave("g", "x")).errorCode, ErrorCode.UNKNOWN_MEMBER_ID);
        assert.equal((await leave("g", memberId)).errorCode, ErrorCode.NONE);
        return;
      }
      assert.equal(other.errorCode, ErrorCode.NONE);
      assert.deepEqual(
        other.members.map(({ errorCode }) => errorCode),
        [ErrorCode.UNKNOWN_MEMBER_ID],
      );
      const left = await leave("g", "x", memberId);
      assert.equal(left.errorCode, ErrorCode.NONE);
      assert.deepEqual(
        left.members.map(({ errorCode }) => errorCode),
        [ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.NONE],
      );
    }),
  );

  test.each(versions(offsetCommitApi))("OffsetCommit %i", (version) =>
    withGroups(async (fixture, client) => {
      const by = await stable(client, "g");
      const commit = async (groupId: string, committer?: typeof by) => {
        const request = commitRequest(fixture, groupId, version, 42, committer);
        const { topics } = await client.call(offsetCommitApi, version, request);
        return topics[0]?.partitions.map(({ errorCode }) => errorCode);
      };
      const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      assert.deepEqual(await commit("g", by), [ErrorCode.NONE, unknown]);
      assert.deepEqual(await commit("simple"), [ErrorCode.NONE, unknown]);
      assert.deepEqual(await commit("g"), [ErrorCode.UNKNOWN_MEMBER_ID, unknown]);
      const unknownGroup =
        version >= 9 ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION;
      assert.deepEqual(await commit("new", by), [unknownGroup, unknown]);
    }),
  );

  test.each(versions(offsetFetchApi))("OffsetFetch %i", (version) =>
    withGroups(async (fixture, client) => {
      await client.call(offsetCommitApi, 9, commitRequest(fixture, "g", 9, 42));
      const named = version >= 10 ? { topicId: topicIdOf(fixture) } : { name: "t" };
      const topics = [{ ...named, partitionIndexes: [0, 1] }];
      const fetch = async (groupId: string, wanted: typeof topics | null) => {
        if (version >= 8) {
          const { groups } = await client.call(offsetFetchApi, version, {
            groups: [{ groupId, topics: wanted }],
          });
          return groups[0];
        }
        const request = {
          groupId,
          topics: wanted as { name: string; partitionIndexes: number[] }[] | null,
        };
        return await client.call(offsetFetchApi, version, request);
      };
      const offsetsOf = (answer: Awaited<ReturnType<typeof fetch>>) =>
        answer?.topics.map((topic) =>
          topic.partitions.map(({ partitionIndex, committedOffset, metadata, errorCode }) => [
            partitionIndex,
            committedOffset,
            metadata,
            errorCode,
          ]),
        );
      const none = (at: number) => [at, -1, "", 0];
      assert.deepEqual(offsetsOf(await fetch("g", topics)), [[[0, 42, "at 42", 0], none(1)]]);
      assert.deepEqual(offsetsOf(await fetch("nobody", topics)), [[none(0), none(1)]]);
      if (version < 2) return;
      assert.deepEqual(offsetsOf(await fetch("g", null)), [[[0, 42, "at 42", 0]]]);
      assert.deepEqual(offsetsOf(await fetch("nobody", null)), []);
    }),
  );

  test.each(versions(describeGroupsApi))("DescribeGroups %i", (version) =>
    withGroups(async (_, client) => {
      const { memberId } = await stable(client, "g");
      const { groups } = await client.call(describeGroupsApi, version, { groups: ["g", "x"] });
      const [known, unknown] = groups;
      assert.deepEqual(
        [known?.errorCode, known?.groupState, known?.protocolType, known?.protocolData],
        [ErrorCode.NONE, "Stable", "consumer", "range"],
      );
      const [member] = known?.members ?? [];
      assert.deepEqual(
        [member?.memberId, member?.clientId, member?.clientHost],
        [memberId, "test", "/127.0.0.1"],
      );
      assert.equal(utf8Decode(member?.memberAssignment ?? new Uint8Array()), "all");
      assert.equal(known?.authorizedOperations, -2_147_483_648);
      if (version >= 3) {
        const request = { groups: ["g", "x"], includeAuthorizedOperations: true };
        const asked = await client.call(describeGroupsApi, version, request);
        assert.deepEqual(
          asked.groups.map(({ authorizedOperations }) => authorizedOperations),
          [3_400, version >= 6 ? -2_147_483_648 : 3_400],
        );
      }
      const error = version >= 6 ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NONE;
      assert.deepEqual([unknown?.errorCode, unknown?.groupState], [error, "Dead"]);
    }),
  );

  test.each(versions(listGroupsApi))("ListGroups %i", (version) =>
    withGroups(async (fixture, client) => {
      await stable(client, "g");
      await client.call(offsetCommitApi, 9, commitRequest(fixture, "simple", 9, 1));
      const list = async (request: { statesFilter?: string[]; typesFilter?: string[] } = {}) =>
        (await client.call(listGroupsApi, version, request)).groups.map(
          ({ groupId, protocolType, groupState }) => [groupId, protocolType, groupState],
        );
      const states = version >= 4 ? ["Stable", "Empty"] : ["", ""];
      assert.deepEqual(await list(), [
        ["g", "consumer", states[0]],
        ["simple", "", states[1]],
      ]);
      if (version >= 4) assert.equal((await list({ statesFilter: ["empty"] })).length, 1);
      if (version >= 5) assert.equal((await list({ typesFilter: ["consumer"] })).length, 0);
    }),
  );

  test.each(versions(deleteGroupsApi))("DeleteGroups %i", (version) =>
    withGroups(async (fixture, client) => {
      await stable(client, "g");
      await client.call(offsetCommitApi, 9, commitRequest(fixture, "simple", 9, 1));
      const groupsNames = ["g", "simple", "x", "simple"];
      const { results } = await client.call(deleteGroupsApi, version, { groupsNames });
      assert.deepEqual(
        results.map(({ errorCode }) => errorCode),
        [ErrorCode.NON_EMPTY_GROUP, ErrorCode.NONE, ErrorCode.GROUP_ID_NOT_FOUND],
      );
    }),
  );
});

test("OffsetDelete keeps what the group subscribes to", () =>
  withGroups(async (fixture, client) => {
    await client.createTopic("other");
    const by = await stable(client, "g");
    await client.call(offsetCommitApi, 9, commitRequest(fixture, "g", 9, 1, by));
    const commitOther = {
      ...commitRequest(fixture, "g", 9, 1, by),
      topics: [
        {
          name: "other",
          partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: "" }],
        },
      ],
    };
    await client.call(offsetCommitApi, 9, commitOther);
    const remove = (groupId: string) =>
      client.call(offsetDeleteApi, 0, {
        groupId,
        topics: ["t", "other", "x"].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] })),
      });
    const { errorCode, topics } = await remove("g");
    assert.equal(errorCode, ErrorCode.NONE);
    assert.deepEqual(
      topics.map(({ partitions }) => partitions[0]?.errorCode),
      [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    );
    const left = await client.call(offsetFetchApi, 8, { groups: [{ groupId: "g", topics: null }] });
    assert.deepEqual(
      left.groups[0]?.topics.map(({ name }) => name),
      ["t"],
    );
    assert.equal((await remove("nobody")).errorCode, ErrorCode.GROUP_ID_NOT_FOUND);
    assert.equal((await remove("")).errorCode, ErrorCode.INVALID_GROUP_ID);
    const nothing = { groupId: "g", topics: [{ name: "t", partitions: [] }] };
    const answer = await client.call(offsetDeleteApi, 0, nothing);
    assert.deepEqual([answer.errorCode, answer.topics], [ErrorCode.NONE, []]);
  }));

test("metadata of a commit has a limit, a topic has to exist", () =>
  withGroups(async (_, client) => {
    const partition = { committedOffset: 1, committedLeaderEpoch: 3 };
    const { topics } = await client.call(offsetCommitApi, 9, {
      groupId: "g",
      memberId: "",
      topics: [
        {
          name: "t",
          partitions: [
            { ...partition, partitionIndex: 0, committedMetadata: "x".repeat(4_096) },
            { ...partition, partitionIndex: 1, committedMetadata: "x".repeat(4_097) },
          ],
        },
        { name: "u", partitions: [{ ...partition, partitionIndex: 0, committedMetadata: null }] },
      ],
    });
    assert.deepEqual(
      topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
      [ErrorCode.NONE, ErrorCode.OFFSET_METADATA_TOO_LARGE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    );
  }));

test("a join that waits holds up its own connection alone, and its answers come in order", () =>
  withGroups(async (fixture, client) => {
    const { memberId, generationId } = await stable(client, "g");
    const second = await fixture.connect();
    const { memberId: secondId } = await second.call(joinGroupApi, 5, joinRequest());
    const waiting = second.request(joinGroupApi, 5, joinRequest({ memberId: secondId }));
    const behind = second.request(heartbeatApi, 3, {
      groupId: "g",
      generationId: 9,
      memberId: "x",
    });
    const beat = { groupId: "g", generationId, memberId };
    for (;;) {
      const { errorCode } = await client.call(heartbeatApi, 3, beat);
      if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) break;
      assert.equal(errorCode, ErrorCode.NONE);
    }
    assert(!second.answered);
    // Until the next generation the assignments of this one are shown.
    const { groups } = await client.call(describeGroupsApi, 5, { groups: ["g"] });
    assert.equal(groups[0]?.groupState, "PreparingRebalance");
    const kept = groups[0]?.members.find((member) => member.memberId === memberId);
    assert.equal(utf8Decode(kept?.memberAssignment ?? new Uint8Array()), "all");
    const again = await client.call(joinGroupApi, 5, joinRequest({ memberId }));
    assert.equal(again.generationId, generationId + 1);
    assert.equal(again.members.length, 2);
    const joined = await second.receive(joinGroupApi, 5, waiting);
    assert.equal(joined.leader, memberId);
    assert.equal((await second.receive(heartbeatApi, 3, behind)).errorCode, 25);
  }));

test("a static member that restarts takes its place without a rebalance", () =>
  withGroups(async (fixture, client) => {
    const first = await join(client, 9, "g", "i");
    const { memberId, generationId } = first;
    const sync = { groupId: "g", generationId, memberId, groupInstanceId: "i" };
    const assignments = [{ memberId, assignment: utf8Encode("all") }];
    await client.call(syncGroupApi, 5, { ...sync, ...PROTOCOL, assignments });
    const restarted = await fixture.connect();
    const second = await join(restarted, 9, "g", "i");
    assert.equal(second.generationId, generationId);
    assert.notEqual(second.memberId, memberId);
    assert(second.skipAssignment);
    const synced = await restarted.call(syncGroupApi, 5, {
      ...sync,
      ...PROTOCOL,
      memberId: second.memberId,
      assignments: [],
    });
    assert.equal(utf8Decode(synced.assignment), "all");
    const fenced = await client.call(heartbeatApi, 4, sync);
    assert.equal(fenced.errorCode, ErrorCode.FENCED_INSTANCE_ID);
  }));

test("the coordinator's requests before anything is loaded are told to come again", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    const { errorCode } = await client.call(joinGroupApi, 5, joinRequest());
    assert.equal(errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    await client.call(findCoordinatorApi, 3, { key: "g" });
    const { errorCode: again } = await client.call(joinGroupApi, 5, joinRequest());
    assert.equal(again, ErrorCode.MEMBER_ID_REQUIRED);
  }));
