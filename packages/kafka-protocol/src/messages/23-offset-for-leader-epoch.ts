import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * The end offset of a leader epoch, with which clients detect truncation.
 *
 * v2 current leader epoch; v3 replica id; v4 flexible.
 *
 * Source: OffsetForLeaderEpochRequest.json, OffsetForLeaderEpochResponse.json v2–v4 (Apache Kafka 4.2).
 */
const spec = {
  key: 23,
  name: "OffsetForLeaderEpoch",
  versions: "2-4",
  flexibleFrom: 4,
  request: [
    { name: "replicaId", type: "int32", versions: "3+", default: -2, ignorable: true },
    {
      name: "topics",
      array: [
        { name: "topic", type: "string" },
        {
          name: "partitions",
          array: [
            { name: "partition", type: "int32" },
            { name: "currentLeaderEpoch", type: "int32", default: -1 },
            { name: "leaderEpoch", type: "int32" },
          ],
        },
      ],
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", default: 0 },
    {
      name: "topics",
      array: [
        { name: "topic", type: "string" },
        {
          name: "partitions",
          array: [
            { name: "errorCode", type: "int16" },
            { name: "partition", type: "int32" },
            { name: "leaderEpoch", type: "int32", default: -1 },
            { name: "endOffset", type: "int64", default: -1 },
          ],
        },
      ],
    },
  ],
} as const;

export const offsetForLeaderEpochApi: Api<typeof spec> = defineApi(spec);

export type OffsetForLeaderEpochRequest = RequestOf<typeof spec>;
export type OffsetForLeaderEpochRequestInput = RequestInput<typeof spec>;
export type OffsetForLeaderEpochResponse = ResponseOf<typeof spec>;
export type OffsetForLeaderEpochResponseInput = ResponseInput<typeof spec>;
