import assert from "node:assert/strict";
import { apis } from "@karst/kafka-protocol";
import type { Field, Fields, VersionRange } from "@karst/kafka-protocol";
import { describe, test } from "vitest";
import { bytesMinOf, planMessage } from "../../src/codec/plan.ts";
import { parseVersions } from "../../src/schema/versions.ts";
import { versionedCodecs } from "../support/codecs.ts";

describe.each([...apis.values()])("$name", (api) => {
  test.each([api.request, api.response])("$name keeps the rules of the notation", ({ fields }) => {
    assert.deepEqual(faultsOf(fields, api.versions), []);
  });
});

/** Names that occur twice, tags that are not 0, 1, …, versions outside the parent's. */
function faultsOf(fields: Fields, parent: VersionRange): string[] {
  const names = fields.map(({ name }) => name);
  const tags = fields.flatMap(({ tag }) => (tag === undefined ? [] : [tag])).sort((a, b) => a - b);
  return [
    ...names.filter((name, i) => names.indexOf(name) !== i),
    ...tags.filter((tag, i) => tag !== i).map((tag) => `tag ${tag}`),
    ...fields.flatMap((field) => fieldFaultsOf(field, parent)),
  ];
}

function fieldFaultsOf(field: Field, parent: VersionRange): string[] {
  const given = field.versions === undefined ? parent : parseVersions(field.versions);
  const versions = { min: given.min, max: Math.min(given.max, parent.max) };
  const ranges = [
    given,
    ...(typeof field.nullable === "string" ? [parseVersions(field.nullable)] : []),
  ];
  const outside = ranges.filter(
    ({ min, max }) =>
      min < parent.min || min > parent.max || (Number.isFinite(max) && max > parent.max),
  );
  const inner = "array" in field ? field.array : "struct" in field ? field.struct : [];
  return [
    ...outside.map(({ min, max }) => `${field.name} ${min}-${max}`),
    ...(field.default === null && field.nullable === undefined ? [`${field.name} null`] : []),
    ...(typeof inner === "string" ? [] : faultsOf(inner, versions)),
  ];
}

test("no array element takes zero bytes, so that bytes bound counts", () => {
  const plans = versionedCodecs.map(({ codec, version, flexible }) =>
    planMessage(codec.name, codec.fields, version, flexible),
  );
  const faults: string[] = [];
  for (let plan = plans.pop(); plan !== undefined; plan = plans.pop()) {
    for (const { value, path } of plan.fields) {
      const inner = value.tag === "array" ? value.element : value;
      if (value.tag === "array" && bytesMinOf(inner, false, plan.flexible) === 0) faults.push(path);
      if (inner.tag === "struct") plans.push(inner.struct);
    }
  }
  assert.deepEqual(faults, []);
});

test("keys and names are unique, and the registry is by key", () => {
  const names = [...apis.values()].map((api) => api.name);
  assert.equal(new Set(names).size, apis.size);
  for (const [key, api] of apis) assert.equal(api.key, key);
});

test("versions are those of the protocol", () => {
  const ranges = [...apis.values()].map(
    ({ key, name, versions }) => `${key} ${name} ${versions.min}-${versions.max}`,
  );
  assert.deepEqual(ranges, [
    "0 Produce 3-13",
    "1 Fetch 4-18",
    "2 ListOffsets 1-11",
    "3 Metadata 0-13",
    "8 OffsetCommit 2-10",
    "9 OffsetFetch 1-10",
    "10 FindCoordinator 0-6",
    "11 JoinGroup 0-9",
    "12 Heartbeat 0-4",
    "13 LeaveGroup 0-5",
    "14 SyncGroup 0-5",
    "15 DescribeGroups 0-6",
    "16 ListGroups 0-5",
    "18 ApiVersions 0-4",
    "19 CreateTopics 2-7",
    "20 DeleteTopics 1-6",
    "22 InitProducerId 0-6",
    "23 OffsetForLeaderEpoch 2-4",
    "32 DescribeConfigs 1-4",
    "42 DeleteGroups 0-2",
    "47 OffsetDelete 0-0",
    "60 DescribeCluster 0-2",
  ]);
});

test("ranges are parsed, and nonsense is refused", () => {
  assert.deepEqual(parseVersions("3+"), { min: 3, max: Number.POSITIVE_INFINITY });
  assert.deepEqual(parseVersions("3-3"), { min: 3, max: 3 });
  assert.throws(() => parseVersions("4-3"), TypeError);
  assert.throws(() => parseVersions("x+" as never), TypeError);
});

test("a schema that is none is refused", () => {
  const plan = (field: Field, flexible: boolean): unknown => planMessage("M", [field], 1, flexible);
  assert.throws(() => plan({ name: "a;b", type: "int8" }, true), /not a field name/);
  assert.throws(() => plan({ name: "a", type: "int8", tag: 0 }, false), /without tags/);
  assert.throws(
    () => plan({ name: "a", type: "records", tag: 0 }, true),
    /records in a tagged field/,
  );
  assert.throws(
    () =>
      plan(
        { name: "a", tag: 0, array: [{ name: "b", struct: [{ name: "c", type: "records" }] }] },
        true,
      ),
    /records in a tagged field/,
  );
});
