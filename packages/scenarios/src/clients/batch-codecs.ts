import { once } from "node:events";
import { connect } from "node:net";
import {
  decodeResponseHeader,
  encodeRequest,
  fetchApi,
  FrameAssembler,
  RESPONSE_FRAME_BYTES_MIN,
} from "@karst/kafka-protocol";
import { CODEC_MASK, readAttributes, splitBatches } from "@karst/records";
import { concatBytes, copyOf, viewOf } from "@karst/runtime";
import { CODECS, type CodecName } from "./events.ts";

const FETCH_VERSION = 11;
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
  const request = encodeRequest(
    fetchApi,
    { apiVersion: FETCH_VERSION, correlationId: 1, clientId: "batch-codecs" },
    {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: BYTES_MAX,
      topics: [
        { topic, partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: BYTES_MAX }] },
      ],
    },
  );
  const frame = await answerTo(bootstrap, concatBytes(request));
  const { bodyAt } = decodeResponseHeader(fetchApi.responseHeaderVersion(FETCH_VERSION), frame);
  const answer = fetchApi.response.decode(FETCH_VERSION, frame.subarray(bodyAt));
  const found = answer.responses[0]?.partitions[0];
  if (found === undefined || found.errorCode !== 0)
    throw new Error(`fetching ${topic}/${partition}: error ${found?.errorCode}`);
  return found.records ?? new Uint8Array();
}

/** One request on a connection of its own. */
async function answerTo(bootstrap: string, request: Uint8Array): Promise<Uint8Array> {
  const [host, port] = bootstrap.split(":");
  const socket = connect({ host: host ?? "", port: Number(port) });
  try {
    await once(socket, "connect");
    return await new Promise((resolve, reject) => {
      const assembler = new FrameAssembler({
        onFrame: (frame) => resolve(copyOf(frame.bytes)),
        reserve: () => true,
        release: () => undefined,
        frameBytesMin: RESPONSE_FRAME_BYTES_MIN,
      });
      assembler.trust();
      socket.on("error", reject);
      socket.on("close", () => reject(new Error(`${bootstrap} closed the connection`)));
      socket.on("data", (chunk) => assembler.push(chunk));
      socket.write(request);
    });
  } finally {
    socket.destroy();
  }
}
