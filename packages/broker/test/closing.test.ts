import { fetchApi, findCoordinatorApi, joinGroupApi } from "@karst/kafka-protocol";
import assert from "node:assert/strict";
import { test } from "vitest";
import { batchOf, startFixture } from "./fixture.ts";

test("a closed broker has no connections, and holds no memory for clients that are still there", async () => {
  const { engine, broker, topics, connect } = await startFixture();
  const [fetching, joining, idle] = [await connect(), await connect(), await connect()];
  await fetching.createTopic("t");
  await fetching.produce("t", batchOf("a"));
  const { sessionId } = await fetching.call(fetchApi, 11, {
    maxWaitMs: 0,
    minBytes: 1,
    sessionEpoch: 0,
    topics: [{ topic: "t", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10 }] }],
  });
  assert.notEqual(sessionId, 0);
  fetching.sendFetch("t", 1, { maxWaitMs: 60_000 });
  await joining.call(findCoordinatorApi, 1, { key: "g" });
  // Its generation waits for a second member that never comes.
  const member = { protocolType: "consumer", sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000 };
  const join = (memberId: string): number =>
    joining.request(joinGroupApi, 3, {
      groupId: "g",
      memberId,
      protocols: [{ name: "range", metadata: new Uint8Array(1_000) }],
      ...member,
    });
  const { errorCode } = await joining.receive(joinGroupApi, 3, join(""));
  assert.equal(errorCode, 0);
  join("");
  await idle.fetch("t", 0);
  await broker.close();
  assert.equal(broker.connections, 0);
  await Promise.all([fetching.closed, joining.closed, idle.closed]);
  await topics.close();
  await engine.close();
  assert.equal(engine.memory.reservedBytes, 0);
});
