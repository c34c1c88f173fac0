import { apiVersionsApi, encodeRequest, ZERO_UUID } from "@karst/kafka-protocol";
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "vitest";
import { ABSENT, ACCEPTED, acceptedBy } from "../src/oracle/accepted.ts";
import { KafkaConnection } from "../src/kafka-connection.ts";
import { differences } from "../src/oracle/difference.ts";
import { Identities } from "../src/oracle/identities.ts";
import { normalForm } from "../src/oracle/normal-form.ts";
import { pageWith } from "../src/oracle/page.ts";
import { RecordingProxy } from "../src/oracle/recorded/recording-proxy.ts";
import { Translation } from "../src/oracle/recorded/translation.ts";
import { batch } from "../src/oracle/records.ts";
import { Tally } from "../src/oracle/tally.ts";
import { freePort } from "../src/server.ts";

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
  const report = {
    kafka: "4",
    seconds: 1,
    compared: 0,
    differing: 0,
    problems: [],
    recorded: {},
    apis: [],
  };
  const page = pageWith("# Compatibility\n\nWords.\n", report);
  assert.equal(pageWith(page, report), page);
  const recorded = pageWith(page, { ...report, recorded: { kcat: 3 } });
  assert.match(recorded, /3 of kcat, recorded/);
  assert.match(page, /Words\.[^]*## Compared with Apache Kafka/);
});

test("a recorded request goes out with the names that the broker has given", () => {
  const translation = new Translation();
  const answer = (topicId: string, memberId: string, producerId: number, leaderEpoch: number) => ({
    topics: [{ topicId, partitions: [{ leaderEpoch }] }],
    memberId,
    producerId,
  });
  const own = "f".repeat(32);
  translation.learn(answer(ID, "a-1", 7, 3), answer(own, "b-2", 1_000, 0));
  const recorded = batch([0, 1], { producer: { id: 7, epoch: 0, baseSequence: 0 } });
  assert.deepEqual(
    translation.request({
      memberId: "a-1",
      topics: [
        { topicId: ID, currentLeaderEpoch: 3, lastFetchedEpoch: -1, topicIdOther: ZERO_UUID },
      ],
      records: recorded,
      assignment: new Uint8Array([1]),
      other: "stays",
    }),
    {
      memberId: "b-2",
      topics: [
        { topicId: own, currentLeaderEpoch: 0, lastFetchedEpoch: -1, topicIdOther: ZERO_UUID },
      ],
      records: batch([0, 1], { producer: { id: 1_000, epoch: 0, baseSequence: 0 } }),
      assignment: new Uint8Array([1]),
      other: "stays",
    },
  );
});

test("a proxy keeps requests with their answers, and changes nothing on the way", async () => {
  const broker = createServer((socket) => {
    socket.on("data", (frame) => {
      const answer = Buffer.alloc(14);
      answer.writeInt32BE(10);
      frame.copy(answer, 4, 8, 12);
      socket.write(answer);
    });
  });
  broker.listen(0, "127.0.0.1");
  await once(broker, "listening");
  const { port } = broker.address() as AddressInfo;
  const proxyPort = await freePort();
  const proxy = await RecordingProxy.start(proxyPort, port);
  const connection = new KafkaConnection(proxyPort);
  const header = { apiVersion: 0, correlationId: 5, clientId: "client" };
  await connection.send(encodeRequest(apiVersionsApi, header, {}));
  assert.equal((await connection.receive(5)).tag, "answer");
  const kept = proxy.take().map(({ api, version, clientId, answer }) => ({
    asked: [api.key, version, clientId],
    answer,
  }));
  assert.deepEqual(kept, [{ asked: [18, 0, "client"], answer: kept[0]?.answer }]);
  assert.deepEqual(kept[0]?.answer, apiVersionsApi.response.decode(0, new Uint8Array(6)));
  assert.equal(proxy.take().length, 0);
  connection.close();
  await proxy.close();
  broker.close();
  await once(broker, "close");
});
