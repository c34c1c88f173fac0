import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { isKarstError, utf8Encode } from "@karst/runtime";
import fc from "fast-check";
import { test } from "vitest";
import { emptyGroup, type Group, type Member } from "../../src/groups/group.ts";
import {
  decodeGroup,
  decodeKey,
  decodeOffset,
  encodeGroup,
  encodeKey,
  encodeOffset,
  type GroupKey,
} from "../../src/groups/group-records.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 200);
const page = new URL("../../../../docs/formats/groups.md", import.meta.url);

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const number = fc.nat(0x7fff_ffff);
const bytes = fc.uint8Array({ maxLength: 30 });
const plain = { noNullPrototype: true } as const;

const key: fc.Arbitrary<GroupKey> = fc.oneof(
  fc.record({ tag: fc.constant("group" as const), groupId: text }, plain),
  fc.record(
    { tag: fc.constant("offset" as const), groupId: text, topicId: id, partition: number },
    plain,
  ),
);

const member: fc.Arbitrary<Member> = fc.record(
  {
    memberId: text,
    instanceId: fc.option(text),
    clientId: text,
    clientHost: text,
    sessionTimeoutMs: number,
    rebalanceTimeoutMs: number,
    protocols: fc.array(fc.record({ name: text, metadata: bytes }, plain), { maxLength: 3 }),
    assignment: bytes,
    synced: fc.constant(true),
    waiting: fc.constant(undefined),
  },
  plain,
);

const group: fc.Arbitrary<Group> = fc
  .tuple(fc.uniqueArray(member, { selector: (one) => one.memberId, maxLength: 4 }), number, text)
  .map(([members, generation, groupId]) => ({
    ...emptyGroup(groupId, 77),
    phase: members.length === 0 ? "Empty" : "Stable",
    generation,
    protocolType: "consumer",
    protocolName: members.length === 0 ? undefined : "range",
    leaderId: members[0]?.memberId,
    members: new Map(members.map((one) => [one.memberId, one])),
  }));

test("keys, groups and offsets round-trip", () => {
  const offset = fc.record(
    {
      offset: fc.integer({ min: -1 }),
      leaderEpoch: fc.integer({ min: -1 }),
      metadata: text,
      committedMs: fc.maxSafeNat(),
    },
    plain,
  );
  fc.assert(
    fc.property(key, group, offset, (one, whole, committed) => {
      assert.deepEqual(decodeKey(encodeKey(one)), one);
      assert.deepEqual(decodeGroup(whole.groupId, encodeGroup(whole)), whole);
      assert.deepEqual(decodeOffset(encodeOffset(committed)), committed);
    }),
    { numRuns },
  );
});

test("any bytes are something, or corrupt", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        bytes.map((rest) => Uint8Array.of(1, ...rest)),
      ),
      (any) => {
        for (const decode of [decodeKey, decodeOffset, (b: Uint8Array) => decodeGroup("g", b)]) {
          try {
            decode(any);
          } catch (error) {
            assert(isKarstError(error, "corrupt"), String(error));
          }
        }
      },
    ),
    { numRuns },
  );
});

test("requests that wait, and ids that have not joined, are not on record", () => {
  const [one] = fc.sample(member, 1);
  assert(one !== undefined);
  const whole: Group = {
    ...emptyGroup("g", 0),
    phase: "PreparingRebalance",
    pendingIds: new Set(["x"]),
    members: new Map([[one.memberId, { ...one, waiting: { tag: "join", ticket: 1 } }]]),
  };
  const loaded = decodeGroup("g", encodeGroup(whole));
  assert.equal(loaded.pendingIds.size, 0);
  const [only] = loaded.members.values();
  assert.deepEqual([only?.waiting, only?.synced], [undefined, false]);
});

function example(): string {
  const topicId = "ab".repeat(16);
  const only: Member = {
    memberId: "c-1",
    instanceId: null,
    clientId: "c",
    clientHost: "/::1",
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocols: [{ name: "range", metadata: utf8Encode("m") }],
    assignment: utf8Encode("a"),
    synced: true,
    waiting: undefined,
  };
  const stable: Group = {
    ...emptyGroup("g", 0),
    phase: "Stable",
    generation: 3,
    protocolType: "consumer",
    protocolName: "range",
    leaderId: "c-1",
    members: new Map([["c-1", only]]),
  };
  const committed = { offset: 42, leaderEpoch: 1, metadata: "x", committedMs: 1_760_000_000_000 };
  const entries = [
    ["group key", encodeKey({ tag: "group", groupId: "g" })],
    ["group value", encodeGroup(stable)],
    ["offset key", encodeKey({ tag: "offset", groupId: "g", topicId, partition: 5 })],
    ["offset value", encodeOffset(committed)],
  ] as const;
  return entries
    .map(([name, encoded]) => `${name}\n  ${Buffer.from(encoded).toString("hex")}`)
    .join("\n");
}

// KARST_WRITE_DOCS=1 writes the example anew, for when the format gets a version.
test("the worked example of docs/formats/groups.md is what the encoder writes", async () => {
  const whole = await readFile(page, "utf8");
  const block = `\`\`\`hex\n${example()}\n\`\`\``;
  if (process.env["KARST_WRITE_DOCS"] === "1")
    await writeFile(page, whole.replace(/```hex\n[\s\S]*?\n```/, block));
  else assert.deepEqual(whole.match(/```hex\n[\s\S]*?\n```/g), [block]);
});
