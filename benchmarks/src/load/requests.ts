import { apiVersionsApi, encodeRequest, encodeResponse, produceApi } from "@karst/kafka-protocol";
import { encodeBatch } from "@karst/records";
import { concatBytes } from "@karst/runtime";

/** Of the fixed shape that the load client sends and the toy broker parses: one topic, one partition, one batch. */
export const PRODUCE_VERSION = 9;
export const TOPIC = "bench";
const CLIENT_ID = "load";

export interface ProduceShape {
  readonly partition: number;
  readonly records: number;
  readonly valueBytes: number;
}

/** A whole Produce request with its length; always the same bytes, so that a socket may hold on to them. */
export function produceRequest({ partition, records, valueBytes }: ProduceShape): Uint8Array {
  const value = new Uint8Array(valueBytes).map((_, i) => (i * 131 + partition) & 0xff);
  const timestampMs = Date.now();
  const batch = encodeBatch(Array.from({ length: records }, () => ({ timestampMs, value })));
  const parts = encodeRequest(
    produceApi,
    { apiVersion: PRODUCE_VERSION, correlationId: partition, clientId: CLIENT_ID },
    {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: TOPIC, partitionData: [{ index: partition, records: batch }] }],
    },
  );
  return concatBytes(parts);
}

/** Every acknowledgement has these bytes but for what stands at the positions below. */
export function produceAcknowledgement(): Uint8Array {
  const parts = encodeResponse(
    produceApi,
    { apiVersion: PRODUCE_VERSION, correlationId: 0 },
    {
      responses: [
        {
          name: TOPIC,
          partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 0, logStartOffset: 0 }],
        },
      ],
    },
  );
  return concatBytes(parts);
}

/** length, correlationId, header's tags, count of topics, name, count of partitions. */
const AT_INDEX = 4 + 4 + 1 + 1 + (1 + TOPIC.length) + 1;

export const ACKNOWLEDGEMENT: {
  readonly atCorrelationId: number;
  readonly atIndex: number;
  readonly atErrorCode: number;
  readonly atBaseOffset: number;
} = {
  atCorrelationId: 4,
  atIndex: AT_INDEX,
  atErrorCode: AT_INDEX + 4,
  atBaseOffset: AT_INDEX + 6,
};

/** What a client sends first: a broker trusts large frames only after a valid request. */
export function greeting(): Uint8Array {
  const header = { apiVersion: 0, correlationId: 0, clientId: CLIENT_ID };
  return concatBytes(encodeRequest(apiVersionsApi, header, {}));
}
