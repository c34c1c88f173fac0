import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Deletes committed offsets of partitions that the group does not subscribe to. Never flexible.
 *
 * Source: OffsetDeleteRequest.json, OffsetDeleteResponse.json v0 (Apache Kafka 4.2).
 */
const spec = {
  key: 47,
  name: "OffsetDelete",
  versions: "0-0",
  flexibleFrom: 1,
  request: [
    { name: "groupId", type: "string" },
    {
      name: "topics",
      array: [
        { name: "name", type: "string" },
        { name: "partitions", array: [{ name: "partitionIndex", type: "int32" }] },
      ],
    },
  ],
  response: [
    { name: "errorCode", type: "int16" },
    { name: "throttleTimeMs", type: "int32", default: 0, ignorable: true },
    {
      name: "topics",
      array: [
        { name: "name", type: "string" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32" },
            { name: "errorCode", type: "int16" },
          ],
        },
      ],
    },
  ],
} as const;

export const offsetDeleteApi: Api<typeof spec> = defineApi(spec);

export type OffsetDeleteRequest = RequestOf<typeof spec>;
export type OffsetDeleteRequestInput = RequestInput<typeof spec>;
export type OffsetDeleteResponse = ResponseOf<typeof spec>;
export type OffsetDeleteResponseInput = ResponseInput<typeof spec>;
