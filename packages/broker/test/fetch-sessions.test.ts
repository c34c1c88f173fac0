import {
  ErrorCode,
  fetchApi,
  type FetchRequestInput,
  type FetchResponse,
  ZERO_UUID,
} from "@karst/kafka-protocol";
import assert from "node:assert/strict";
import { test } from "vitest";
import type { TestClient } from "./client.ts";
import { batchOf, type Fixture, withFixture } from "./fixture.ts";

const BY_NAME = 12;
const BY_ID = 18;

interface Ask {
  readonly version?: number;
  readonly session?: readonly [id: number, epoch: number];
  readonly partitions?: readonly (readonly [partition: number, fetchOffset: number])[];
  readonly forgotten?: readonly number[];
  readonly maxWaitMs?: number;
}

/** A fetch of a topic that is given by name and id. */
function fetchOf(topic: { name: string; topicId: string }, ask: Ask): FetchRequestInput {
  const { session = [0, 0], partitions = [], forgotten = [], maxWaitMs = 0 } = ask;
  const named = { topic: topic.name, topicId: topic.topicId };
  return {
    maxWaitMs,
    minBytes: 1,
    sessionId: session[0],
    sessionEpoch: session[1],
    topics: [
      {
        ...named,
        partitions: partitions.map(([partition, fetchOffset]) => ({
          partition,
          fetchOffset,
          partitionMaxBytes: 1_000,
        })),
      },
    ],
    forgottenTopicsData: forgotten.length === 0 ? [] : [{ ...named, partitions: [...forgotten] }],
  };
}

function partitionsOf({ responses }: FetchResponse): number[] {
  return responses.flatMap(({ partitions }) => partitions.map((one) => one.partitionIndex));
}

async function topicOf(
  { topics }: Fixture,
  client: TestClient,
  partitions: number,
): Promise<{ name: string; topicId: string }> {
  await client.createTopic("t", partitions);
  return { name: "t", topicId: topics.byName("t")?.topicId ?? "" };
}

for (const version of [7, BY_NAME, BY_ID]) {
  test(`a session of version ${version} answers what is new, and is woken by it`, () =>
    withFixture({}, async (fixture) => {
      const client = await fixture.connect();
      const topic = await topicOf(fixture, client, 3);
      const ask = (fetch: Ask): Promise<FetchResponse> =>
        client.call(fetchApi, version, fetchOf(topic, fetch));
      const first = await ask({
        partitions: [
          [0, 0],
          [1, 0],
          [2, 0],
        ],
      });
      assert.deepEqual([first.errorCode, partitionsOf(first)], [0, [0, 1, 2]]);
      const { sessionId } = first;
      assert.ok(sessionId > 0);
      // Nothing is wanted anew: the broker knows what to wait for.
      const wait = fetchOf(topic, { session: [sessionId, 1], maxWaitMs: 60_000 });
      const parked = client.request(fetchApi, version, wait);
      const writer = await fixture.connect();
      await writer.produce("t", batchOf("news"), 1);
      const news = await client.receive(fetchApi, version, parked);
      assert.deepEqual([news.sessionId, partitionsOf(news)], [sessionId, [1]]);
      assert.ok((news.responses[0]?.partitions[0]?.records?.length ?? 0) > 0);
      const read = await ask({ session: [sessionId, 2], partitions: [[1, 1]] });
      assert.deepEqual([read.errorCode, partitionsOf(read)], [0, []]);
      await writer.produce("t", batchOf("more"), 1);
      const less = await ask({ session: [sessionId, 3], forgotten: [1] });
      assert.deepEqual([less.errorCode, partitionsOf(less)], [0, []]);
    }));
}

test("each wrong session gets the code that a Kafka broker gives, and no answers", () =>
  withFixture({}, async (fixture) => {
    const client = await fixture.connect();
    const topic = await topicOf(fixture, client, 1);
    const codeOf = async (ask: Ask): Promise<number> => {
      const message = fetchOf(topic, { partitions: [[0, 0]], ...ask });
      const { errorCode, responses } = await client.call(fetchApi, ask.version ?? BY_ID, message);
      if (errorCode !== 0) assert.deepEqual(responses, []);
      return errorCode;
    };
    const first = fetchOf(topic, { partitions: [[0, 0]] });
    const { sessionId } = await client.call(fetchApi, BY_ID, first);
    assert.equal(
      await codeOf({ session: [sessionId + 1, 1] }),
      ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
    );
    assert.equal(await codeOf({ session: [sessionId, 2] }), ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    const named: Ask = { session: [sessionId, 1], version: BY_NAME };
    assert.equal(await codeOf(named), ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
    assert.equal(await codeOf({ session: [sessionId, 1] }), ErrorCode.NONE);
    assert.equal(await codeOf({ session: [sessionId, 1] }), ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    assert.equal(await codeOf({ session: [sessionId, -1] }), ErrorCode.NONE);
    assert.equal(await codeOf({ session: [sessionId, 2] }), ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  }));

test("a session belongs to no connection", () =>
  withFixture({}, async (fixture) => {
    const [first, second] = [await fixture.connect(), await fixture.connect()];
    const topic = await topicOf(fixture, first, 1);
    const begin = fetchOf(topic, { partitions: [[0, 0]] });
    const { sessionId } = await first.call(fetchApi, BY_ID, begin);
    first.destroy();
    const next = fetchOf(topic, { session: [sessionId, 1] });
    assert.equal((await second.call(fetchApi, BY_ID, next)).errorCode, ErrorCode.NONE);
  }));

test("without room for sessions a fetch is answered in full, and the client is told that it has none", () =>
  withFixture({ limits: { fetchSessionsMax: 0 } }, async (fixture) => {
    const client = await fixture.connect();
    const topic = await topicOf(fixture, client, 1);
    const answer = await client.call(fetchApi, BY_ID, fetchOf(topic, { partitions: [[0, 0]] }));
    assert.deepEqual([answer.errorCode, answer.sessionId, partitionsOf(answer)], [0, 0, [0]]);
  }));

test("a topic that was deleted is unknown by its id, also to a session, and its successor is another", () =>
  withFixture({}, async (fixture) => {
    const client = await fixture.connect();
    const topic = await topicOf(fixture, client, 1);
    const codeOf = ({ responses }: FetchResponse): number | undefined =>
      responses[0]?.partitions[0]?.errorCode;
    const { sessionId } = await client.call(
      fetchApi,
      BY_ID,
      fetchOf(topic, { partitions: [[0, 0]] }),
    );
    const byName = await client.call(fetchApi, BY_NAME, fetchOf(topic, { partitions: [[0, 0]] }));
    await fixture.topics.delete(topic.topicId);
    await topicOf(fixture, client, 1);
    await client.produce("t", batchOf("of the successor"));
    const gone = await client.call(fetchApi, BY_ID, fetchOf(topic, { session: [sessionId, 1] }));
    assert.equal(codeOf(gone), ErrorCode.UNKNOWN_TOPIC_ID);
    const never = { name: "", topicId: ZERO_UUID };
    const zero = await client.call(fetchApi, BY_ID, fetchOf(never, { partitions: [[0, 0]] }));
    assert.equal(codeOf(zero), ErrorCode.UNKNOWN_TOPIC_ID);
    const named = fetchOf(topic, { session: [byName.sessionId, 1] });
    const successor = (await client.call(fetchApi, BY_NAME, named)).responses[0]?.partitions[0];
    assert.deepEqual([successor?.errorCode, successor?.highWatermark], [0, 1]);
  }));
