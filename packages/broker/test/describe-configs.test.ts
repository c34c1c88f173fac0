import { createTopicsApi, describeConfigsApi, ErrorCode } from "@karst/kafka-protocol";
import assert from "node:assert/strict";
import { test } from "vitest";
import type { TestClient } from "./client.ts";
import { withFixture } from "./fixture.ts";

const TOPIC = 2;
const BROKER = 4;

type Description = Awaited<ReturnType<typeof describe>>;

async function describe(
  client: TestClient,
  version: number,
  resource: readonly [type: number, name: string],
  options: { readonly keys?: readonly string[]; readonly includeSynonyms?: boolean } = {},
) {
  const [resourceType, resourceName] = resource;
  const { keys = null, includeSynonyms = false } = options;
  const { results } = await client.call(describeConfigsApi, version, {
    resources: [{ resourceType, resourceName, configurationKeys: keys && [...keys] }],
    includeSynonyms,
  });
  const [result] = results;
  if (result === undefined) throw new Error("no result");
  assert.deepEqual([result.resourceType, result.resourceName], resource);
  return result;
}

function valuesOf({ configs }: Description): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(
    configs.map(({ name, value, configSource }) => [name, [value, configSource]]),
  );
}

test("a topic's configurations are told, those that were set and the defaults", () =>
  withFixture({}, async ({ connect }) => {
    const client = await connect();
    await client.call(createTopicsApi, 4, {
      topics: [
        {
          name: "t",
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: "retention.ms", value: "1000" }],
        },
      ],
      timeoutMs: 1_000,
    });
    for (const version of [1, 2, 3, 4]) {
      const all = await describe(client, version, [TOPIC, "t"]);
      assert.deepEqual([all.errorCode, all.errorMessage], [0, ""]);
      const values = valuesOf(all);
      assert.deepEqual(values["retention.ms"], ["1000", 1]);
      assert.deepEqual(values["cleanup.policy"], ["delete", 5]);
      assert.ok(all.configs.length > 30);
      assert.ok(all.configs.every(({ synonyms }) => synonyms.length === 0));
    }
    const keys = ["retention.ms", "max.message.bytes", "no.such"];
    const some = await describe(client, 4, [TOPIC, "t"], { keys, includeSynonyms: true });
    assert.deepEqual(
      some.configs.map(({ name, configType, synonyms }) => [name, configType, synonyms.length]),
      [
        ["max.message.bytes", 3, 1],
        ["retention.ms", 5, 2],
      ],
    );
  }));

test("this broker is described, and nothing else than topics and brokers", () =>
  withFixture({}, async ({ connect, broker }) => {
    const client = await connect();
    const values = valuesOf(await describe(client, 4, [BROKER, "1"]));
    assert.deepEqual(values["node.id"], ["1", 4]);
    assert.deepEqual(values["num.partitions"], ["1", 5]);
    assert.deepEqual(values["advertised.listeners"], [`PLAINTEXT://127.0.0.1:${broker.port}`, 4]);
    const codeOf = async (type: number, name: string): Promise<number> =>
      (await describe(client, 4, [type, name])).errorCode;
    assert.equal(await codeOf(BROKER, ""), ErrorCode.NONE);
    assert.equal(await codeOf(BROKER, "2"), ErrorCode.INVALID_REQUEST);
    assert.equal(await codeOf(TOPIC, "nowhere"), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    assert.equal(await codeOf(TOPIC, "no/slash"), ErrorCode.INVALID_TOPIC_EXCEPTION);
    assert.equal(await codeOf(TOPIC, "__proto__"), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    assert.equal(await codeOf(8, "1"), ErrorCode.INVALID_REQUEST);
  }));

test("a setting of the broker that differs from its default is one that was given", () =>
  withFixture({ limits: { defaultPartitions: 3 } }, async ({ connect }) => {
    const values = valuesOf(await describe(await connect(), 4, [BROKER, "1"]));
    assert.deepEqual(values["num.partitions"], ["3", 4]);
    assert.deepEqual(values["auto.create.topics.enable"], ["true", 5]);
  }));
