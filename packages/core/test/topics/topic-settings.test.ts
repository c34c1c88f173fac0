import assert from "node:assert/strict";
import { test } from "vitest";
import { DEFAULT_LIMITS, TOPIC_CONFIGS, topicSettings, validateTopicConfigs } from "@karst/core";

const BYTES_MAX = DEFAULT_LIMITS.batchBytesMax;

test("every default is legal, and what it means", () => {
  const defaults = Object.fromEntries(
    Object.entries(TOPIC_CONFIGS).map(([name, definition]) => [name, definition.default]),
  );
  // An empty list of replicas is a default, and the only legal empty list.
  assert.doesNotThrow(() => validateTopicConfigs(defaults, BYTES_MAX));
  assert.deepEqual(topicSettings({}), topicSettings(defaults));
  assert.deepEqual(topicSettings({}), {
    maxMessageBytes: 1_048_588,
    timestampType: "CreateTime",
    timestampBeforeMaxMs: Infinity,
    timestampAfterMaxMs: 3_600_000,
    cleanupPolicy: ["delete"],
    retentionMs: 604_800_000,
    retentionBytes: Infinity,
  });
});

test("what is set holds", () => {
  const configs = {
    "max.message.bytes": "500",
    "message.timestamp.type": "LogAppendTime",
    "message.timestamp.before.max.ms": "10",
    "message.timestamp.after.max.ms": "20",
    "cleanup.policy": "compact, delete",
    "retention.ms": "-1",
    "retention.bytes": "1000",
  };
  validateTopicConfigs(configs, BYTES_MAX);
  assert.deepEqual(topicSettings(configs), {
    maxMessageBytes: 500,
    timestampType: "LogAppendTime",
    timestampBeforeMaxMs: 10,
    timestampAfterMaxMs: 20,
    cleanupPolicy: ["compact", "delete"],
    retentionMs: Infinity,
    retentionBytes: 1000,
  });
});

test.each([
  ["no.such.config", "1"],
  ["toString", "1"],
  ["max.message.bytes", "-1"],
  ["max.message.bytes", "1.5"],
  ["max.message.bytes", ""],
  ["max.message.bytes", "2147483648"],
  ["max.message.bytes", "1048589"],
  ["retention.ms", "9223372036854775808"],
  ["retention.ms", "-2"],
  ["message.timestamp.type", "createtime"],
  ["cleanup.policy", "keep"],
  ["cleanup.policy", "delete,"],
  ["cleanup.policy", ""],
  ["preallocate", "yes"],
  ["min.cleanable.dirty.ratio", "1.5"],
  ["min.cleanable.dirty.ratio", "NaN"],
  ["remote.storage.enable", "true"],
])("%s=%j is refused by name", (name, value) => {
  const expected = {
    kind: "invalid",
    code: "INVALID_CONFIG",
    message: new RegExp(name.replaceAll(".", "\\.")),
  };
  assert.throws(() => validateTopicConfigs({ [name]: value }, BYTES_MAX), expected);
});

test("the widest values are legal", () => {
  const widest = {
    "retention.ms": "9223372036854775807",
    "max.message.bytes": "1048588",
    "min.cleanable.dirty.ratio": "1",
  };
  assert.doesNotThrow(() => validateTopicConfigs(widest, BYTES_MAX));
});
