import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * A producer id and epoch, for idempotent and transactional producers.
 *
 * v2 flexible; v3 the producer's current id and epoch (KIP-360); v4 PRODUCER_FENCED; v6 two-phase commit (KIP-939, unstable).
 *
 * Source: InitProducerIdRequest.json, InitProducerIdResponse.json v0–v6 (Apache Kafka 4.2).
 */
const spec = {
  key: 22,
  name: "InitProducerId",
  versions: "0-6",
  flexibleFrom: 2,
  request: [
    { name: "transactionalId", type: "string", nullable: true },
    { name: "transactionTimeoutMs", type: "int32" },
    { name: "producerId", type: "int64", versions: "3+", default: -1 },
    { name: "producerEpoch", type: "int16", versions: "3+", default: -1 },
    { name: "enable2Pc", type: "bool", versions: "6+", default: false },
    { name: "keepPreparedTxn", type: "bool", versions: "6+", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", default: 0 },
    { name: "errorCode", type: "int16" },
    { name: "producerId", type: "int64", default: -1 },
    { name: "producerEpoch", type: "int16" },
    { name: "ongoingTxnProducerId", type: "int64", versions: "6+", default: -1 },
    { name: "ongoingTxnProducerEpoch", type: "int16", versions: "6+", default: -1 },
  ],
} as const;

export const initProducerIdApi: Api<typeof spec> = defineApi(spec);

export type InitProducerIdRequest = RequestOf<typeof spec>;
export type InitProducerIdRequestInput = RequestInput<typeof spec>;
export type InitProducerIdResponse = ResponseOf<typeof spec>;
export type InitProducerIdResponseInput = ResponseInput<typeof spec>;
