import {
  apiVersionsApi,
  encodeRequest,
  ErrorCode,
  fetchApi,
  metadataApi,
  produceApi,
} from "@karst/kafka-protocol";
import { concatBytes, type Random, randomInteger, utf8Encode, viewOf } from "@karst/runtime";
import type { ClientConnection } from "./client-connection.ts";
import { BROKER_LIMITS } from "./limits.ts";
import { batchBytes } from "./sent-batch.ts";
import { isRefusal, isUnknownTopic, type Site } from "./site.ts";

export const HOSTILITIES = [
  "noise",
  "oversized",
  "http",
  "half",
  "unknown-api",
  "unknown-version",
  "bad-batch",
  "no-memory",
  "deaf",
] as const;

/** What a client does that means no good, or is broken. */
export type Hostility = (typeof HOSTILITIES)[number];

/** Requests of one that reads no answers. */
const DEAF_REQUESTS = 60;
const VERSION = 4;

/** Opens a connection and does it. @returns the connection, which the broker has to get rid of by itself. */
export function attack(site: Site, random: Random, what: Hostility): ClientConnection {
  const connection = site.connect();
  site.world.sometimes.add(`hostile-${what}`);
  switch (what) {
    case "noise":
      connection.write(random.bytes(randomInteger(random, 1, 300)));
      break;
    case "oversized":
      connection.write(lengthOf((BROKER_LIMITS.firstFrameBytesMax ?? 0) + 1));
      connection.write(random.bytes(200));
      break;
    case "http":
      connection.write(utf8Encode("GET / HTTP/1.1\r\nHost: broker\r\n\r\n"));
      break;
    case "half": {
      const frame = metadataRequest(VERSION);
      connection.write(frame.subarray(0, randomInteger(random, 1, frame.length - 1)));
      if (randomInteger(random, 0, 1) === 0) connection.end();
      break;
    }
    case "unknown-api":
      connection.write(withBytes(metadataRequest(VERSION), 4, [3, 0xe7]));
      break;
    case "unknown-version":
      connection.write(withBytes(metadataRequest(VERSION), 6, [0, 99]));
      break;
    case "bad-batch":
      spoiltProduce(site, connection, random);
      break;
    case "no-memory":
      // A first request, then a frame of the greatest legal size that never ends.
      connection.write(metadataRequest(VERSION));
      connection.write(lengthOf(BROKER_LIMITS.frameBytesMax ?? 0));
      connection.write(random.bytes(12_000));
      break;
    case "deaf":
      connection.stall(Infinity);
      for (let i = 0; i < DEAF_REQUESTS; i += 1) connection.write(fetchRequest(site, i));
      break;
  }
  return connection;
}

/** A client with a version that only the future knows gets an answer that it can read. */
export async function askVersions(
  site: Site,
  connection: ClientConnection,
  version: number,
): Promise<void> {
  const answer = await connection.request(apiVersionsApi, version, {
    clientSoftwareName: "simulated",
    clientSoftwareVersion: "1.0",
  });
  if (answer.tag === "lost") return;
  site.world.tally.checked += 1;
  const { errorCode, apiKeys } = answer.response;
  const produce = apiKeys.find(({ apiKey }) => apiKey === produceApi.key);
  if (errorCode !== ErrorCode.NONE || produce?.minVersion !== 0 || produce.maxVersion !== 13)
    throw new Error(`ApiVersions v${version}: error ${errorCode}, ${apiKeys.length} keys`);
}

/** One byte of the batch is wrong: nothing of it may ever be seen. */
function spoiltProduce(site: Site, connection: ClientConnection, random: Random): void {
  const topic = site.topic("t0");
  if (topic === undefined) return;
  const batch = batchBytes({
    // No batch has this number.
    id: 9_000_000,
    count: 2,
    recordBytes: 30,
    timestampMs: site.world.clock.wallMs(),
    sequence: undefined,
  });
  const at = randomInteger(random, 17, batch.length - 1);
  batch[at] = (batch[at] as number) ^ (1 << randomInteger(random, 0, 7));
  connection
    .request(produceApi, 8, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: topic.name, partitionData: [{ index: 0, records: batch }] }],
    })
    .then((answer) => {
      if (answer.tag === "lost") return;
      const code = answer.response.responses[0]?.partitionResponses[0]?.errorCode ?? 0;
      const right = code === ErrorCode.CORRUPT_MESSAGE || isRefusal(code) || isUnknownTopic(code);
      if (!right) throw new Error(`a spoilt batch, byte ${at}: error ${code}`);
      site.world.sometimes.add("spoilt-batch-refused");
      connection.close();
    })
    .catch((error: unknown) => site.failed(error));
}

function metadataRequest(version: number): Uint8Array {
  const header = { apiVersion: version, correlationId: 1, clientId: "hostile" };
  return concatBytes(encodeRequest(metadataApi, header, { topics: null }));
}

function fetchRequest(site: Site, correlationId: number): Uint8Array {
  const header = { apiVersion: VERSION, correlationId, clientId: "deaf" };
  const topics = (site.topic("t0")?.partitions ?? []).map(({ topic, index }) => ({
    topic: topic.name,
    partitions: [{ partition: index, fetchOffset: 0, partitionMaxBytes: 10_000 }],
  }));
  const message = { maxWaitMs: 0, minBytes: 0, maxBytes: 10_000, topics, forgottenTopicsData: [] };
  return concatBytes(encodeRequest(fetchApi, header, message));
}

function lengthOf(bytes: number): Uint8Array {
  const length = new Uint8Array(4);
  viewOf(length).setInt32(0, bytes);
  return length;
}

function withBytes(frame: Uint8Array, at: number, bytes: readonly number[]): Uint8Array {
  frame.set(bytes, at);
  return frame;
}
