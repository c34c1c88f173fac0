// Brokers, networks and clients that are wrong on purpose: the checks must find every one of them.
import assert from "node:assert/strict";
import type { PartitionLog, Topics } from "@karst/core";
import { type Api, type ApiSpec, fetchApi, produceApi } from "@karst/kafka-protocol";
import { splitBatches } from "@karst/records";
import { test } from "vitest";
import type { Answer, ClientConnection } from "../../src/kafka/client-connection.ts";
import { KafkaRun } from "../../src/kafka/kafka-run.ts";
import { drawStory, perform } from "../../src/kafka/story.ts";

const SEEDS = 25;
const STEPS = 40;

type Request = ClientConnection["request"];
/** Every so many requests are spoilt. */
const RARELY = 5;

/** A run whose clients have something false between themselves and the broker. */
function runWith(spoil: (send: Request, key: number, count: number) => Request): typeof KafkaRun {
  let count = 0;
  return class extends KafkaRun {
    override connect(): ClientConnection {
      const connection = super.connect();
      const send: Request = connection.request.bind(connection);
      connection.request = (api: Api<ApiSpec>, version: number, message: never) => {
        if (api.key === produceApi.key || api.key === fetchApi.key) count += 1;
        return spoil(send, api.key, count)(api, version, message);
      };
      return connection;
    }
  };
}

/** What answers in place of the broker, with a fetch's first partition changed. */
function changedFetch(
  send: Request,
  change: (partition: { records: Uint8Array | null; highWatermark: number }) => void,
): Request {
  return (async (api: never, version: number, message: never) => {
    const answer = (await send(api, version, message)) as Answer<{
      responses: { partitions: { records: Uint8Array | null; highWatermark: number }[] }[];
    }>;
    for (const { partitions } of answer.tag === "ok" ? answer.response.responses : [])
      for (const partition of partitions) change(partition);
    return answer;
  }) as Request;
}

/** Acknowledges without sending. */
const droppedProduce = runWith((send, key, count) =>
  key !== produceApi.key || count % RARELY !== 0
    ? send
    : ((async (_api: never, _version: number, message: { topicData: never[] }) => ({
        tag: "ok",
        response: {
          responses: message.topicData.map(
            (topic: { name: string; topicId: string; partitionData: { index: number }[] }) => ({
              name: topic.name,
              topicId: topic.topicId,
              partitionResponses: topic.partitionData.map(({ index }) => ({
                index,
                errorCode: 0,
                baseOffset: 1_000_000 + count * 100,
              })),
            }),
          ),
        },
      })) as unknown as Request),
);

/** Sends twice what is sent once. */
const doubledProduce = runWith((send, key) =>
  key !== produceApi.key
    ? send
    : async (api, version, message) => {
        const first = send(api, version, message);
        await send(api, version, message);
        return first;
      },
);

/** Within a session only the first answer tells anything. */
const leftOutNews = runWith((send, key) =>
  key !== fetchApi.key
    ? send
    : ((async (api: never, version: number, message: { sessionEpoch?: number }) => {
        const answer = (await send(api, version, message as never)) as Answer<{
          responses: unknown[];
        }>;
        if (answer.tag === "ok" && (message.sessionEpoch ?? -1) > 0)
          answer.response.responses.length = 0;
        return answer;
      }) as unknown as Request),
);

/** Leaves out the first of several batches. */
const skippedBatch = runWith((send, key) =>
  key !== fetchApi.key
    ? send
    : changedFetch(send, (partition) => {
        const batches = splitBatches(partition.records ?? new Uint8Array());
        if (batches.length > 1)
          partition.records = (partition.records as Uint8Array).subarray(batches[0]?.length);
      }),
);

const loweredWatermark = runWith((send, key, count) =>
  key !== fetchApi.key || count % RARELY !== 0
    ? send
    : changedFetch(send, (partition) => {
        if (partition.records?.length === 0) partition.highWatermark = 0;
      }),
);

/** Changes the value of a record, and the CRC with it. */
const changedAppend = runWithLog((log) => ({
  append: (batch, options) => {
    if (batch instanceof Uint8Array && batch.length > 100) batch[batch.length - 12] = 0x21;
    return log.append(batch, options);
  },
}));

/** Acknowledges before the WAL has synced. */
const earlyAcknowledgement = runWithLog((log) => ({
  append: (batch, options) => ({ ...log.append(batch, options), durable: Promise.resolve() }),
}));

/** Tells a place that is not the batch's own. */
const wrongOffset = runWithLog((log) => {
  let count = 0;
  return {
    append: (batch, options) => {
      const append = log.append(batch, options);
      count += 1;
      return count % RARELY === 0 ? { ...append, baseOffset: append.baseOffset + 1 } : append;
    },
  };
});

function runWithLog(spoil: (log: PartitionLog) => Partial<PartitionLog>): typeof KafkaRun {
  return class extends KafkaRun {
    override serve(topics: Topics): Topics {
      const spoilt = new Map<PartitionLog, PartitionLog>();
      const of = (log: PartitionLog): PartitionLog => {
        const known = spoilt.get(log) ?? spoiltObject(log, spoil(log));
        spoilt.set(log, known);
        return known;
      };
      return spoiltObject(topics, {
        partition: async (topicId, index) => of(await topics.partition(topicId, index)),
        openPartition: (topicId, index) => {
          const open = topics.openPartition(topicId, index);
          return open && of(open);
        },
      });
    }
  };
}

/** The object, but for some of its methods. */
function spoiltObject<T extends object>(object: T, methods: Partial<T>): T {
  return new Proxy(object, {
    get: (target, name) => {
      const value = Reflect.get(name in methods ? methods : target, name, target) as unknown;
      return typeof value === "function" && !(name in methods)
        ? (value.bind(target) as unknown)
        : value;
    },
  });
}

const CANARIES: Readonly<Record<string, readonly [typeof KafkaRun, RegExp]>> = {
  "acknowledges a dropped produce": [droppedProduce, /^W2|^W12|^P1|^P3|^IP4/],
  "sends twice what was sent once": [doubledProduce, /^IP1/],
  "leaves news out of a fetch session's answer": [leftOutNews, /^P3|^P4|is left out$/],
  "leaves a batch out": [skippedBatch, /^P4/],
  "forgets a high watermark": [loweredWatermark, /^P3/],
  "changes a record": [changedAppend, /error 2|^P5|^P2/],
  "acknowledges before the sync": [earlyAcknowledgement, /^W2|^P2|^P3|^IP|^P4/],
  "tells another offset": [wrongOffset, /^IP2|^P1|^P2|^P3|^W2/],
};

for (const [what, [Broken, expected]] of Object.entries(CANARIES)) {
  test(`what ${what} is found out`, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const story = drawStory(seed, STEPS);
      const error = await perform(story, new Broken(story.options)).then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      if (error === undefined) continue;
      assert.match(error.message, expected);
      return;
    }
    assert.fail(`nothing was found in ${SEEDS} seeds`);
  });
}
