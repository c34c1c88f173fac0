import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Deletes topics, from v6 also by id.
 *
 * v4 flexible; v5 error message; v6 by id or name.
 *
 * Source: DeleteTopicsRequest.json, DeleteTopicsResponse.json v1–v6 (Apache Kafka 4.2).
 */
const spec = {
  key: 20,
  name: "DeleteTopics",
  versions: "1-6",
  flexibleFrom: 4,
  request: [
    {
      name: "topics",
      versions: "6+",
      array: [
        { name: "name", type: "string", nullable: true, default: null },
        { name: "topicId", type: "uuid" },
      ],
    },
    { name: "topicNames", array: "string", versions: "1-5", ignorable: true },
    { name: "timeoutMs", type: "int32" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", default: 0 },
    {
      name: "responses",
      array: [
        { name: "name", type: "string", nullable: "6+" },
        { name: "topicId", type: "uuid", versions: "6+", ignorable: true },
        { name: "errorCode", type: "int16" },
        {
          name: "errorMessage",
          type: "string",
          versions: "5+",
          nullable: true,
          default: null,
          ignorable: true,
        },
      ],
    },
  ],
} as const;

export const deleteTopicsApi: Api<typeof spec> = defineApi(spec);

export type DeleteTopicsRequest = RequestOf<typeof spec>;
export type DeleteTopicsRequestInput = RequestInput<typeof spec>;
export type DeleteTopicsResponse = ResponseOf<typeof spec>;
export type DeleteTopicsResponseInput = ResponseInput<typeof spec>;
