import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Deletes groups without members, and what they have committed.
 *
 * v1 the same as v0; v2 flexible.
 *
 * Source: DeleteGroupsRequest.json, DeleteGroupsResponse.json v0–v2 (Apache Kafka 4.2).
 */
const spec = {
  key: 42,
  name: "DeleteGroups",
  versions: "0-2",
  flexibleFrom: 2,
  request: [{ name: "groupsNames", array: "string" }],
  response: [
    { name: "throttleTimeMs", type: "int32", default: 0, ignorable: true },
    {
      name: "results",
      array: [
        { name: "groupId", type: "string" },
        { name: "errorCode", type: "int16" },
      ],
    },
  ],
} as const;

export const deleteGroupsApi: Api<typeof spec> = defineApi(spec);

export type DeleteGroupsRequest = RequestOf<typeof spec>;
export type DeleteGroupsRequestInput = RequestInput<typeof spec>;
export type DeleteGroupsResponse = ResponseOf<typeof spec>;
export type DeleteGroupsResponseInput = ResponseInput<typeof spec>;
