import { ZERO_UUID } from "@karst/kafka-protocol";
import assert from "node:assert/strict";
import { test } from "vitest";
import { ABSENT, ACCEPTED, acceptedBy } from "../src/oracle/accepted.ts";
import { differences } from "../src/oracle/difference.ts";
import { Identities } from "../src/oracle/identities.ts";
import { normalForm } from "../src/oracle/normal-form.ts";
import { pageWith } from "../src/oracle/page.ts";
import { batch } from "../src/oracle/records.ts";
import { Tally } from "../src/oracle/tally.ts";

const ID = "0123456789abcdef0123456789abcdef";

test("what a broker names for itself does not count: ids, clocks, words", () => {
  const identities = new Identities();
  const plain = normalForm(
    {
      throttleTimeMs: 5,
      errorMessage: "so it is",
      topics: [
        { name: "t", topicId: ID, logAppendTimeMs: 1_700_000_000_000 },
        { name: "a", topicId: ZERO_UUID, logAppendTimeMs: -1 },
      ],
    },
    identities,
  );
  assert.deepEqual(plain, {
    errorMessage: "words",
    topics: [
      { name: "a", topicId: "no id", logAppendTimeMs: -1 },
      { name: "t", topicId: "id of t", logAppendTimeMs: "a time" },
    ],
  });
  assert.equal(identities.topicId("t"), ID);
});

test("minted member ids stand for each other, given ones for themselves", () => {
  const uuid = "01234567-89ab-cdef-0123-456789abcdef";
  const identities = new Identities();
  assert.equal(identities.memberToken(`oracle-${uuid}`), "oracle-member 1");
  assert.equal(identities.memberToken("stranger"), "stranger");
  assert.equal(identities.memberToken(`oracle-${uuid}`), "oracle-member 1");
});

test("leader epochs count from that of a new partition", () => {
  const identities = new Identities();
  identities.learnEpochBase(7);
  assert.deepEqual([identities.epoch(1), identities.epoch(-1)], [8, -1]);
  assert.deepEqual([identities.epochToken(7), identities.epochToken(-1)], [0, -1]);
});

test("records are compared batch by batch; one that is cut off at the end is none", () => {
  const whole = batch([0, 1]);
  const cut = new Uint8Array([...whole, ...whole.subarray(0, 70)]);
  const identities = new Identities();
  assert.deepEqual(
    differences(
      normalForm({ records: whole }, identities),
      normalForm({ records: cut }, identities),
    ),
    [],
  );
  const other = normalForm({ records: batch([0, 2]) }, identities);
  assert.ok(differences(normalForm({ records: whole }, identities), other).length > 0);
});

test("differences are told by path, in named lists by the name", () => {
  assert.deepEqual(
    differences(
      {
        apiKeys: [
          { apiKey: 1, maxVersion: 2 },
          { apiKey: 9, maxVersion: 1 },
        ],
        topics: [{ errorCode: 3 }],
      },
      { apiKeys: [{ apiKey: 1, maxVersion: 1 }], topics: [{ errorCode: 0 }] },
    ),
    [
      { path: "apiKeys[1].maxVersion", kafka: 2, karst: 1 },
      { path: "apiKeys[9]", kafka: { apiKey: 9, maxVersion: 1 } },
      { path: "topics[].errorCode", kafka: 3, karst: 0 },
    ],
  );
  assert.deepEqual(differences({ a: [{ x: 1 }] }, { a: [] }), [
    { path: "a.length", kafka: 1, karst: 0 },
  ]);
});

test("a difference is accepted by its API, field, values and case, and no other is", () => {
  const at = { apiKey: 18, version: 3, name: "any" };
  assert.equal(acceptedBy(at, { path: "apiKeys[9]", kafka: {} })?.karst, ABSENT);
  assert.equal(acceptedBy(at, { path: "apiKeys[9]", karst: {} }), undefined);
  assert.equal(acceptedBy({ ...at, apiKey: 2 }, { path: "apiKeys[9]", kafka: {} }), undefined);
  for (const { reason } of ACCEPTED) assert.match(reason, /^[A-Z].*\.$/);
});

test("a tally counts each request once, and groups what differs", () => {
  const tally = new Tally();
  const request = { apiKey: 2, version: 4, name: "n", request: { at: 1 }, kafka: 1, karst: 2 };
  tally.add({ ...request, differences: [] });
  for (let times = 0; times < 3; times += 1)
    tally.add({ ...request, version: 4 + times, differences: [{ path: "p", kafka: 1, karst: 2 }] });
  const { compared, equal, differing, differences: groups } = tally.report(2);
  assert.deepEqual([compared, equal, differing, groups.length], [4, 1, 3, 1]);
  assert.deepEqual((groups[0] as { versions: number[] }).versions, [4, 5, 6]);
});

test("the page gets its section once, and keeps the rest", () => {
  const report = { kafka: "4", seconds: 1, compared: 0, differing: 0, problems: [], apis: [] };
  const once = pageWith("# Compatibility\n\nWords.\n", report);
  assert.equal(pageWith(once, report), once);
  assert.match(once, /Words\.[^]*## Compared with Apache Kafka/);
});
