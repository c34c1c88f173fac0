import assert from "node:assert/strict";
import { concatBytes } from "@karst/runtime";
import {
  apis,
  apiVersionsApi,
  decodeRequestHeader,
  decodeResponseHeader,
  encodeRequest,
  encodeResponse,
  encodeUnsupportedApiVersions,
  heartbeatApi,
  isClientSoftware,
  openRequest,
} from "@karst/kafka-protocol";
import fc from "fast-check";
import { test } from "vitest";
import { decodedOrMalformed, isMalformed } from "../support/malformed.ts";

const message = { groupId: "g", generationId: 1, memberId: "m" };

function requestFrame(apiVersion: number, clientId: string | null = "c"): Uint8Array {
  const parts = encodeRequest(heartbeatApi, { apiVersion, correlationId: 7, clientId }, message);
  return concatBytes(parts).subarray(4);
}

test("both request headers go there and back", () => {
  for (const apiVersion of [3, 4]) {
    for (const clientId of ["c", "żółw", "", null]) {
      const opened = openRequest(requestFrame(apiVersion, clientId));
      assert(opened.tag === "request");
      assert.equal(opened.api, heartbeatApi);
      assert.deepEqual(opened.header, { apiKey: 12, apiVersion, correlationId: 7, clientId });
      assert.equal(heartbeatApi.request.decode(apiVersion, opened.body).groupId, "g");
    }
  }
});

test("in hexadecimal", () => {
  assert.equal(
    Buffer.from(requestFrame(3)).toString("hex"),
    "000c00030000000700016300016700000001" + "00016d" + "ffff",
  );
  assert.equal(
    Buffer.from(requestFrame(4)).toString("hex"),
    "000c00040000000700016300" + "0267" + "00000001" + "026d" + "00" + "00",
  );
});

test("unknown tags of a header are passed over", () => {
  const frame = Buffer.from(
    "000c00040000000700016301" + "0503aabbcc" + "026700000001026d0000",
    "hex",
  );
  const opened = openRequest(frame);
  assert(opened.tag === "request");
  assert.equal(heartbeatApi.request.decode(4, opened.body).memberId, "m");
  assert.equal(decodeRequestHeader(2, frame).bodyAt, 17);
});

test("what is not known is told apart, unread", () => {
  const prefix = (apiKey: string) => Buffer.from(`${apiKey}00000007ffffffff`, "hex");
  assert.deepEqual(openRequest(prefix("03e70000")), {
    tag: "unknown api",
    prefix: { apiKey: 999, apiVersion: 0, correlationId: 7 },
  });
  const unsupported = openRequest(prefix("00120005"));
  assert(unsupported.tag === "unsupported version");
  assert.equal(unsupported.api, apiVersionsApi);
  assert.deepEqual(unsupported.prefix, { apiKey: 18, apiVersion: 5, correlationId: 7 });
  assert.equal(openRequest(prefix("0012ffff")).tag, "unsupported version");
});

test("any bytes open, or are malformed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const heartbeat = concatBytes([Uint8Array.of(0, 12, 0, bytes[0] ?? 0), bytes]);
      for (const frame of [bytes, heartbeat]) {
        const opened = decodedOrMalformed(() => openRequest(frame));
        assert.ok(opened?.tag !== "request" || opened.body.length <= frame.length - 10);
      }
      decodedOrMalformed(() => decodeResponseHeader(1, bytes));
    }),
  );
  const whole = requestFrame(4);
  for (let length = 0; length < 12; length += 1) {
    assert.ok(isMalformed(() => openRequest(whole.subarray(0, length))));
  }
});

test("response headers: v1 in flexible versions, always v0 for ApiVersions", () => {
  for (const api of apis.values()) {
    for (let version = api.versions.min; version <= api.versions.max; version += 1) {
      const flexible = api.requestHeaderVersion(version) === 2;
      assert.equal(api.responseHeaderVersion(version), flexible && api.key !== 18 ? 1 : 0);
    }
  }
  const response = { errorCode: 0, apiKeys: [] };
  const frame = concatBytes(
    encodeResponse(apiVersionsApi, { apiVersion: 4, correlationId: 7 }, response),
  );
  assert.equal(
    Buffer.from(frame).toString("hex"),
    "0000000c" + "00000007" + "0000" + "01" + "00000000" + "00",
  );
  assert.deepEqual(decodeResponseHeader(0, frame.subarray(4)), { correlationId: 7, bodyAt: 4 });
  const heartbeat = concatBytes(
    encodeResponse(heartbeatApi, { apiVersion: 4, correlationId: 7 }, { errorCode: 27 }),
  );
  assert.equal(
    Buffer.from(heartbeat).toString("hex"),
    "0000000c" + "00000007" + "00" + "00000000" + "001b" + "00",
  );
  assert.deepEqual(decodeResponseHeader(1, heartbeat.subarray(4)), { correlationId: 7, bodyAt: 5 });
});

test("an ApiVersions request of an unknown version is answered with a v0 body", () => {
  const frame = concatBytes(encodeUnsupportedApiVersions(0x0a0b0c0d));
  assert.equal(
    Buffer.from(frame).toString("hex"),
    "00000010" + "0a0b0c0d" + "0023" + "00000001" + "0012" + "0000" + "0004",
  );
});

test("names of client software", () => {
  for (const name of ["a", "apache-kafka-java", "1.2.3", "a-1.b"])
    assert.equal(isClientSoftware(name), true);
  for (const name of ["", "-a", "a-", "a b", "a.", "é", `${"a".repeat(30_000)}.`])
    assert.equal(isClientSoftware(name), false);
});
