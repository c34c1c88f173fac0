import assert from "node:assert/strict";
import { hasCode } from "@karst/runtime";
import {
  deleteTopicsApi,
  heartbeatApi,
  initProducerIdApi,
  listOffsetsApi,
  metadataApi,
  produceApi,
} from "@karst/kafka-protocol";
import { test } from "vitest";
import { allTypesApi } from "../support/all-types.ts";
import { assertMalformed } from "../support/malformed.ts";

const heartbeatV0 = (groupId: string): Uint8Array => bytesOf(`${groupId} 00000001 0001 6d`);

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

test("lengths that are wrong in every way", () => {
  const decode = (hex: string) => () => heartbeatApi.request.decode(0, heartbeatV0(hex));
  assert.equal(decode("0001 67")().groupId, "g");
  assertMalformed(decode("ffff"), /HeartbeatRequest v0: null where string must be/);
  assertMalformed(decode("fffe"), /a string of -2 bytes/);
  assertMalformed(decode("7fff 67"), /32767 bytes wanted, 8 left at byte 2/);
  assertMalformed(decode("0001 ff"), /malformed UTF-8 at byte 2/);
  assertMalformed(decode(`0040 ${"ff".repeat(64)}`), /malformed UTF-8/);
});

test("compact lengths", () => {
  const decode = (hex: string) => () =>
    heartbeatApi.request.decode(4, bytesOf(`${hex} 00000001 02 6d 00 00`));
  assert.equal(decode("02 67")().groupId, "g");
  assert.equal(decode("82 80 80 80 00 67")().groupId, "g", "padding within five bytes");
  assertMalformed(decode("00"), /null where string/);
  assertMalformed(decode("82 80 80 80 80 00 67"), /beyond 32 bits/);
  assertMalformed(decode("ff ff ff ff 1f"), /beyond 32 bits/);
  assertMalformed(decode("ff ff ff ff 0f"), /a string of 4294967294 bytes/);
  assertMalformed(decode("81 80 02"), /a string of 32768 bytes/);
});

test("tag sections: unknown tags are passed over, disorder and wrong sizes are malformed", () => {
  const decode = (tags: string) => () =>
    heartbeatApi.request.decode(4, bytesOf(`02 67 00000001 02 6d 00 ${tags}`));
  const plain = decode("00")();
  assert.deepEqual(decode("02 00 01 ff 81 01 02 aa bb")(), plain);
  assertMalformed(decode("02 01 00 01 00"), /tag 1 after tag 1/);
  assertMalformed(decode("02 01 00 00 00"), /tag 0 after tag 1/);
  assertMalformed(decode("01 00 05 aa"), /5 bytes wanted, 1 left/);
  assertMalformed(decode("ff ff ff ff 0f"), /1 bytes wanted, 0 left/);
});

test("a known tag takes exactly its size", () => {
  const partition = `00000001 0000 ${"00".repeat(24)} 01 00`;
  const decode = (tags: string) => () =>
    produceApi.response.decode(10, bytesOf(`02 02 61 02 ${partition} ${tags} 00 00000000 00`));
  assert.deepEqual(
    decode("01 00 09 00000002 00000003 00")().responses[0]?.partitionResponses[0]?.currentLeader,
    {
      leaderId: 2,
      leaderEpoch: 3,
    },
  );
  assertMalformed(decode("01 00 0a 00000002 00000003 00 00"), /1 bytes too many in a tagged field/);
  assertMalformed(decode("01 00 08 00000002 00000003 00"), /1 bytes wanted, 0 left/);
});

test("a struct that may be null begins with 1 or -1", () => {
  const input = {
    flag: true,
    short: 1,
    port: 2,
    count: 3,
    seek: 4,
    ratio: 0.5,
    id: "0123456789abcdef0123456789abcdef",
    text: "t",
    blob: new Uint8Array(0),
    batches: null,
    more: [],
    ids: [],
    texts: null,
    blobs: [],
    one: { default: 1, inner: {} },
    maybe: { n: 5 },
    rows: [],
  };
  const bytes = allTypesApi.request.encode(0, input);
  const marker = bytes.length - 4 - 2 - 1;
  assert.equal(bytes[marker], 1);
  bytes[marker] = 2;
  assertMalformed(() => allTypesApi.request.decode(0, bytes), /2 where a struct begins or is null/);
  assert.equal(
    allTypesApi.request.decode(0, allTypesApi.request.encode(0, { ...input, maybe: null })).maybe,
    null,
  );
});

test("int64 outside the safe integers: malformed, or clamped where clients choose freely", () => {
  const response = bytesOf("00000000 0000 7fffffffffffffff 0000");
  assertMalformed(
    () => initProducerIdApi.response.decode(1, response),
    /not a safe integer at byte 6/,
  );
  const request = (timestamp: string) =>
    listOffsetsApi.request.decode(
      1,
      bytesOf(`ffffffff 00000001 0001 61 00000001 00000003 ${timestamp}`),
    ).topics[0]?.partitions[0]?.timestamp;
  assert.equal(request("7fffffffffffffff"), Number.MAX_SAFE_INTEGER);
  assert.equal(request("0020000000000000"), Number.MAX_SAFE_INTEGER);
  assert.equal(request("8000000000000000"), Number.MIN_SAFE_INTEGER);
  assert.equal(request("fffffffffffffffa"), -6);
});

test("bytes and records are views of the message", () => {
  const bytes = produceApi.request.encode(9, {
    acks: -1,
    timeoutMs: 1,
    topicData: [{ name: "a", partitionData: [{ index: 0, records: Uint8Array.of(1, 2, 3) }] }],
  });
  const frame = Buffer.concat([Buffer.from("head"), bytes]).subarray(4);
  const records = produceApi.request.decode(9, frame).topicData[0]?.partitionData[0]?.records;
  assert.ok(records !== undefined && records !== null);
  assert.equal(records.buffer, frame.buffer);
  assert.equal(Object.getPrototypeOf(records), Uint8Array.prototype);
  frame.fill(9);
  assert.deepEqual([...records], [9, 9, 9]);
});

test("fields that a version lacks have their defaults", () => {
  const decoded = metadataApi.request.decode(0, bytesOf("00000001 0001 61"));
  assert.deepEqual(decoded, {
    topics: [{ topicId: "0".repeat(32), name: "a" }],
    allowAutoTopicCreation: true,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  });
});

test("a version that is not in the schema is the caller's error", () => {
  for (const version of [-1, 0, 7, 1.5, Number.NaN]) {
    const codes = [
      () => deleteTopicsApi.request.decode(version, new Uint8Array(0)),
      () => deleteTopicsApi.request.encode(version, { timeoutMs: 1 }),
    ];
    for (const call of codes) assert.throws(call, (error) => hasCode(error, "UNSUPPORTED_VERSION"));
  }
});
