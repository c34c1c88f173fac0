import { decodeResponseHeader, encodeRequest, fetchApi } from "@karst/kafka-protocol";
import { CODEC_MASK, readAttributes, splitBatches } from "@karst/records";
import { viewOf } from "@karst/runtime";
import { KafkaConnection } from "../kafka-connection.ts";
import { CODECS, type CodecName } from "./events.ts";

const FETCH_VERSION = 11;
const PATIENCE_MS = 30_000;
const BYTES_MAX = 16 * 1024 * 1024;

/** The codecs of a partition's batches, as the broker stores them: what a client was told to use, it may have left. */
export async function batchCodecs(
  bootstrap: string,
  topic: string,
  partition: number,
): Promise<readonly CodecName[]> {
  const records = await fetchRecords(bootstrap, topic, partition);
  return splitBatches(records).map((batch) => {
    const id = readAttributes(viewOf(batch), 0) & CODEC_MASK;
    const name = CODECS[id];
    if (name === undefined) throw new Error(`a batch of ${topic}/${partition} has codec ${id}`);
    return name;
  });
}

async function fetchRecords(
  bootstrap: string,
  topic: string,
  partition: number,
): Promise<Uint8Array> {
  const connection = new KafkaConnection(Number(bootstrap.split(":")[1]));
  const correlationId = connection.nextCorrelationId();
  const header = { apiVersion: FETCH_VERSION, correlationId, clientId: "batch-codecs" };
  const partitions = [{ partition, fetchOffset: 0, partitionMaxBytes: BYTES_MAX }];
  const wanted = {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: BYTES_MAX,
    topics: [{ topic, partitions }],
  };
  await connection.send(encodeRequest(fetchApi, header, wanted));
  const outcome = await connection.receive(correlationId, PATIENCE_MS);
  connection.close();
  if (outcome.tag !== "answer") throw new Error(`fetching ${topic}/${partition}: ${outcome.tag}`);
  const { frame } = outcome;
  const { bodyAt } = decodeResponseHeader(fetchApi.responseHeaderVersion(FETCH_VERSION), frame);
  const answer = fetchApi.response.decode(FETCH_VERSION, frame.subarray(bodyAt));
  const found = answer.responses[0]?.partitions[0];
  if (found === undefined || found.errorCode !== 0)
    throw new Error(`fetching ${topic}/${partition}: error ${found?.errorCode}`);
  return found.records ?? new Uint8Array();
}
