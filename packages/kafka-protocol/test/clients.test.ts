import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { concatBytes } from "@karst/runtime";
import { apis, decodeRequestHeader, encodeRequest, openRequest } from "@karst/kafka-protocol";
import type { Api, ApiSpec } from "@karst/kafka-protocol";
import { describe, test } from "vitest";
import { assertMalformed } from "./support/malformed.ts";

/** A line of a fixture: see test/fixtures/README.md. */
interface Fixture {
  readonly message: string;
  readonly version: number;
  readonly fields: unknown;
  readonly header?: {
    readonly apiKey: number;
    readonly correlationId: number;
    readonly clientId: string;
  };
  readonly frame?: string;
  readonly body?: string;
}

function fixturesOf(client: string): readonly Fixture[] {
  const text = readFileSync(new URL(`fixtures/${client}.json`, import.meta.url), "utf8");
  return JSON.parse(text, (_, value: unknown) => {
    const hex = (value as { hex?: unknown } | null)?.hex;
    return typeof hex === "string" ? bytesOf(hex) : value;
  }) as readonly Fixture[];
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

describe.each(["kafkajs", "platformatic"])("%s", (client) => {
  const fixtures = fixturesOf(client);
  const requests = fixtures.filter(({ frame }) => frame !== undefined);
  const responses = fixtures.filter(({ body }) => body !== undefined);

  test("the fixtures are there", () => {
    assert.ok(requests.length > 40 && responses.length > 40);
  });

  test.each(requests)(
    "reads and writes its $message v$version",
    ({ version, fields, header, frame }) => {
      const bytes = bytesOf(frame as string);
      const opened = openRequest(bytes.subarray(4));
      assert(opened.tag === "request");
      assert.deepStrictEqual(opened.header, { ...header, apiVersion: version });
      assert.deepStrictEqual(opened.api.request.decode(version, opened.body), fields);
      const headerVersion = opened.api.requestHeaderVersion(version);
      assert.deepStrictEqual(decodeRequestHeader(headerVersion, bytes.subarray(4)), {
        header: opened.header,
        bodyAt: bytes.length - 4 - opened.body.length,
      });
      const api = opened.api as Api<ApiSpec>;
      assert.deepStrictEqual(
        concatBytes(encodeRequest(api, opened.header, fields as never)),
        bytes,
      );
    },
  );

  test.each(responses)(
    "writes $message v$version as it reads it",
    ({ message, version, fields, body }) => {
      const api = [...apis.values()].find((candidate) => candidate.response.name === message);
      assert(api !== undefined);
      const bytes = bytesOf(body as string);
      assert.deepStrictEqual(api.response.encode(version, fields as never), bytes);
      assert.deepStrictEqual(api.response.decode(version, bytes), fields);
    },
  );
});

const requestsWithBytesTooMany = [
  // @platformatic/kafka 1.35.0: Metadata v11 with a boolean that v11 has not, DescribeConfigs v2 with one of v3.
  "0003000b000007d30013706c6174666f726d617469632d636c69656e740003000000000000000000000000000000000a6f72646572732d65750000000" +
    "00000000000000000000000000008c5bcc3b3c582770001000000",
  "00200002000007f00013706c6174666f726d617469632d636c69656e74000000010200096f72646572732d657500000001000c726574656e74696f6e2e" +
    "6d730101",
  // librdkafka 2.15.1 (@confluentinc/kafka-javascript 1.10.1): Metadata v13 of all topics.
  "0003000d00000003000772646b61666b610000000000010000",
];

test.each(requestsWithBytesTooMany)(
  "bytes after a message are refused, or ignored on request",
  (hex) => {
    const opened = openRequest(bytesOf(hex));
    assert(opened.tag === "request");
    const { api, header, body } = opened;
    assertMalformed(() => api.request.decode(header.apiVersion, body), /[13] bytes too many/);
    assert.notEqual(
      api.request.decode(header.apiVersion, body, { trailingBytes: "ignored" }),
      undefined,
    );
  },
);
