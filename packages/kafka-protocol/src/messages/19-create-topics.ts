import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Creates topics. `numPartitions` and `replicationFactor` are -1 with manual assignments, from v4 also for the broker's default.
 *
 * v4 defaults; v5 flexible, partition count and configs in the response; v6 throttling error; v7 topic id.
 *
 * Source: CreateTopicsRequest.json, CreateTopicsResponse.json v2–v7 (Apache Kafka 4.2).
 */
const spec = {
  key: 19,
  name: "CreateTopics",
  versions: "2-7",
  flexibleFrom: 5,
  request: [
    {
      name: "topics",
      array: [
        { name: "name", type: "string" },
        { name: "numPartitions", type: "int32" },
        { name: "replicationFactor", type: "int16" },
        {
          name: "assignments",
          array: [
            { name: "partitionIndex", type: "int32" },
            { name: "brokerIds", array: "int32" },
          ],
        },
        {
          name: "configs",
          array: [
            { name: "name", type: "string" },
            { name: "value", type: "string", nullable: true },
          ],
        },
      ],
    },
    { name: "timeoutMs", type: "int32", default: 60000 },
    { name: "validateOnly", type: "bool", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", default: 0 },
    {
      name: "topics",
      array: [
        { name: "name", type: "string" },
        { name: "topicId", type: "uuid", versions: "7+", ignorable: true },
        { name: "errorCode", type: "int16" },
        { name: "errorMessage", type: "string", nullable: true },
        { name: "topicConfigErrorCode", type: "int16", versions: "5+", tag: 0, ignorable: true },
        { name: "numPartitions", type: "int32", versions: "5+", default: -1, ignorable: true },
        { name: "replicationFactor", type: "int16", versions: "5+", default: -1, ignorable: true },
        {
          name: "configs",
          versions: "5+",
          nullable: true,
          ignorable: true,
          array: [
            { name: "name", type: "string" },
            { name: "value", type: "string", nullable: true },
            { name: "readOnly", type: "bool" },
            { name: "configSource", type: "int8", default: -1 },
            { name: "isSensitive", type: "bool" },
          ],
        },
      ],
    },
  ],
} as const;

export const createTopicsApi: Api<typeof spec> = defineApi(spec);

export type CreateTopicsRequest = RequestOf<typeof spec>;
export type CreateTopicsRequestInput = RequestInput<typeof spec>;
export type CreateTopicsResponse = ResponseOf<typeof spec>;
export type CreateTopicsResponseInput = ResponseInput<typeof spec>;
