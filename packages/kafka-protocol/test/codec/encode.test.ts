import assert from "node:assert/strict";
import {
  COPIED_RECORDS_BYTES_MAX,
  deleteTopicsApi,
  describeClusterApi,
  encodeResponse,
  fetchApi,
  findCoordinatorApi,
  heartbeatApi,
  metadataApi,
  ZERO_UUID,
} from "@karst/kafka-protocol";
import type { FetchResponseInput } from "@karst/kafka-protocol";
import { test } from "vitest";

const large = new Uint8Array(COPIED_RECORDS_BYTES_MAX + 1).fill(1);
const limit = new Uint8Array(COPIED_RECORDS_BYTES_MAX).fill(2);

function fetchResponse(
  ...records: readonly (Uint8Array | readonly Uint8Array[] | null)[]
): FetchResponseInput {
  return {
    responses: [
      {
        topic: "a",
        partitions: records.map((batches, partitionIndex) => ({
          partitionIndex,
          errorCode: 0,
          highWatermark: 1,
          abortedTransactions: null,
          records: batches,
        })),
      },
    ],
  };
}

test("large records are parts of their own, the very arrays of the message", () => {
  const parts = fetchApi.response.encodeParts(
    12,
    fetchResponse(large, limit, [large, new Uint8Array(0), limit], null),
  );
  assert.equal(parts.length, 6);
  assert.equal(parts[1], large);
  assert.equal(parts[3], large);
  assert.equal(parts[4], limit);
  const own = parts.filter((part) => part !== large && part !== limit);
  assert.equal(new Set(own.map((part) => part.buffer)).size, 1, "one buffer for all the rest");
  assert.equal(
    own[0]?.buffer.byteLength,
    own.reduce((bytes, part) => bytes + part.length, 0),
    "of exactly its size",
  );
  const decoded = fetchApi.response.decode(
    12,
    fetchApi.response.encode(12, fetchResponse([large, limit])),
  );
  assert.deepEqual(
    decoded.responses[0]?.partitions[0]?.records,
    Uint8Array.from([...large, ...limit]),
  );
});

test("a response frame is its length, its header and the message, in as many parts", () => {
  const message = fetchResponse(large, null);
  for (const [apiVersion, headerBytes] of [
    [11, 4],
    [12, 5],
  ] as const) {
    const parts = encodeResponse(fetchApi, { apiVersion, correlationId: 0x01020304 }, message);
    assert.equal(parts[1], large);
    const frame = Buffer.concat(parts);
    assert.equal(frame.readInt32BE(0), frame.length - 4);
    assert.equal(frame.readInt32BE(4), 0x01020304);
    assert.deepEqual(
      frame.subarray(4 + headerBytes),
      Buffer.from(fetchApi.response.encode(apiVersion, message)),
    );
  }
});

test("values out of their type are the caller's error, with the field's path", () => {
  const encode = (input: unknown) => () => heartbeatApi.request.encode(3, input as never);
  const valid = { groupId: "g", generationId: 1, memberId: "m" };
  assert.equal(encode(valid)().length, 12);
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ ...valid, groupId: null }, /HeartbeatRequest\.groupId: null where a string must be/],
    [{ ...valid, groupId: 3 }, /groupId: number where a string must be/],
    [
      { ...valid, groupId: "x".repeat(32_768) },
      /groupId: a string of 32768 bytes, the limit is 32767/,
    ],
    [{ ...valid, groupId: "é".repeat(16_384) }, /groupId: a string of 32768 bytes/],
    [{ ...valid, generationId: 2 ** 31 }, /generationId: 2147483648 is not of type int32/],
    [{ ...valid, generationId: 1.5 }, /generationId: 1.5 is not of type int32/],
    [{ ...valid, generationId: undefined }, /generationId: undefined is not of type int32/],
    [{ ...valid, generationId: Number.NaN }, /generationId: NaN is not of type int32/],
  ];
  for (const [input, message] of cases)
    assert.throws(encode(input), { name: "TypeError", message });
  assert.throws(
    () => findCoordinatorApi.request.encode(4, { coordinatorKeys: null as never }),
    /null where an array must be/,
  );
  assert.throws(
    () => findCoordinatorApi.request.encode(4, { coordinatorKeys: [null] as never }),
    /null where a string must be/,
  );
  assert.throws(
    () => metadataApi.request.encode(0, { topics: null }),
    /topics: null where an array must be/,
  );
  assert.throws(
    () => describeClusterApi.request.encode(0, { includeClusterAuthorizedOperations: 1 as never }),
    /1 is not a boolean/,
  );
});

test("a value that the version cannot carry is refused, unless the field is ignorable or the value is its default", () => {
  assert.throws(
    () =>
      deleteTopicsApi.request.encode(5, {
        topics: [{ name: "a", topicId: ZERO_UUID }],
        timeoutMs: 1,
      }),
    /DeleteTopicsRequest\.topics: has a value, and this version has no such field/,
  );
  assert.equal(
    deleteTopicsApi.request.encode(5, { topics: [], topicNames: ["a"], timeoutMs: 1 }).length,
    8,
  );
  assert.throws(
    () =>
      fetchApi.request.encode(14, {
        maxWaitMs: 1,
        minBytes: 1,
        topics: [],
        replicaState: { replicaId: 1 },
      }),
    /replicaState: has a value/,
  );
  const defaults = { replicaId: -1, replicaEpoch: -1 };
  fetchApi.request.encode(14, { maxWaitMs: 1, minBytes: 1, topics: [], replicaState: defaults });
  fetchApi.response.encode(6, { ...fetchResponse(null), errorCode: 3 });
});

test("half a surrogate pair is written as U+FFFD", () => {
  const filler = "x".repeat(40);
  for (const [groupId, written] of [
    ["\ud800", "\ufffd"],
    ["\udc00x", "\ufffdx"],
    ["a\ud800b", "a\ufffdb"],
    [`${filler}\ud83d`, `${filler}\ufffd`],
    ["\ud83d\ude00\ud83d", "\ud83d\ude00\ufffd"],
  ] as const) {
    const bytes = heartbeatApi.request.encode(0, { groupId, generationId: 1, memberId: "" });
    assert.equal(heartbeatApi.request.decode(0, bytes).groupId, written);
  }
});
