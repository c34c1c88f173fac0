import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Finds offsets by timestamp, or by a special one: -1 latest, -2 earliest, from v7 -3 the greatest timestamp, from v8 -4 the earliest local,
 * from v9 -5 the latest tiered, from v11 -6 the earliest pending upload. Nothing found: timestamp and offset are -1.
 *
 * v2 isolation level; v4 leader epoch; v6 flexible; v10 timeout.
 *
 * Source: ListOffsetsRequest.json, ListOffsetsResponse.json v1–v11 (Apache Kafka 4.2).
 */
const spec = {
  key: 2,
  name: "ListOffsets",
  versions: "1-11",
  flexibleFrom: 6,
  request: [
    { name: "replicaId", type: "int32" },
    { name: "isolationLevel", type: "int8", versions: "2+" },
    {
      name: "topics",
      array: [
        { name: "name", type: "string" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32" },
            {
              name: "currentLeaderEpoch",
              type: "int32",
              versions: "4+",
              default: -1,
              ignorable: true,
            },
            { name: "timestamp", type: "int64Clamped" },
          ],
        },
      ],
    },
    { name: "timeoutMs", type: "int32", versions: "10+", ignorable: true },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "2+", default: 0, ignorable: true },
    {
      name: "topics",
      array: [
        { name: "name", type: "string" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32" },
            { name: "errorCode", type: "int16" },
            { name: "timestamp", type: "int64", default: -1 },
            { name: "offset", type: "int64", default: -1 },
            { name: "leaderEpoch", type: "int32", versions: "4+", default: -1 },
          ],
        },
      ],
    },
  ],
} as const;

export const listOffsetsApi: Api<typeof spec> = defineApi(spec);

export type ListOffsetsRequest = RequestOf<typeof spec>;
export type ListOffsetsRequestInput = RequestInput<typeof spec>;
export type ListOffsetsResponse = ResponseOf<typeof spec>;
export type ListOffsetsResponseInput = ResponseInput<typeof spec>;
