import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Appends record batches to partitions. With `acks` 0 the broker sends no response.
 *
 * v3 transactional id, record batch v2 only; v5 logStartOffset; v7 zstd allowed; v8 errors per record; v9 flexible; v10 current leader
 * (KIP-951); v12 transactions V2 (KIP-890); v13 topic id instead of name (KIP-516).
 *
 * Source: ProduceRequest.json, ProduceResponse.json v3–v13 (Apache Kafka 4.2).
 */
const spec = {
  key: 0,
  name: "Produce",
  versions: "3-13",
  flexibleFrom: 9,
  request: [
    { name: "transactionalId", type: "string", nullable: true, default: null },
    { name: "acks", type: "int16" },
    { name: "timeoutMs", type: "int32" },
    {
      name: "topicData",
      array: [
        { name: "name", type: "string", versions: "3-12", ignorable: true },
        { name: "topicId", type: "uuid", versions: "13+", ignorable: true },
        {
          name: "partitionData",
          array: [
            { name: "index", type: "int32" },
            { name: "records", type: "records", nullable: true },
          ],
        },
      ],
    },
  ],
  response: [
    {
      name: "responses",
      array: [
        { name: "name", type: "string", versions: "3-12", ignorable: true },
        { name: "topicId", type: "uuid", versions: "13+", ignorable: true },
        {
          name: "partitionResponses",
          array: [
            { name: "index", type: "int32" },
            { name: "errorCode", type: "int16" },
            { name: "baseOffset", type: "int64" },
            { name: "logAppendTimeMs", type: "int64", default: -1 },
            { name: "logStartOffset", type: "int64", versions: "5+", default: -1, ignorable: true },
            {
              name: "recordErrors",
              versions: "8+",
              ignorable: true,
              array: [
                { name: "batchIndex", type: "int32" },
                { name: "batchIndexErrorMessage", type: "string", nullable: true, default: null },
              ],
            },
            {
              name: "errorMessage",
              type: "string",
              versions: "8+",
              nullable: true,
              default: null,
              ignorable: true,
            },
            {
              name: "currentLeader",
              versions: "10+",
              tag: 0,
              struct: [
                { name: "leaderId", type: "int32", default: -1 },
                { name: "leaderEpoch", type: "int32", default: -1 },
              ],
            },
          ],
        },
      ],
    },
    { name: "throttleTimeMs", type: "int32", default: 0 },
    {
      name: "nodeEndpoints",
      versions: "10+",
      tag: 0,
      array: [
        { name: "nodeId", type: "int32" },
        { name: "host", type: "string" },
        { name: "port", type: "int32" },
        { name: "rack", type: "string", nullable: true, default: null },
      ],
    },
  ],
} as const;

export const produceApi: Api<typeof spec> = defineApi(spec);

export type ProduceRequest = RequestOf<typeof spec>;
export type ProduceRequestInput = RequestInput<typeof spec>;
export type ProduceResponse = ResponseOf<typeof spec>;
export type ProduceResponseInput = ResponseInput<typeof spec>;
