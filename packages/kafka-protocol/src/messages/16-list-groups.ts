import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Lists the groups of a broker. An empty filter lets everything through.
 *
 * v3 flexible; v4 state and its filter; v5 group type and its filter.
 *
 * Source: ListGroupsRequest.json, ListGroupsResponse.json v0–v5 (Apache Kafka 4.2).
 */
const spec = {
  key: 16,
  name: "ListGroups",
  versions: "0-5",
  flexibleFrom: 3,
  request: [
    { name: "statesFilter", array: "string", versions: "4+" },
    { name: "typesFilter", array: "string", versions: "5+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0, ignorable: true },
    { name: "errorCode", type: "int16" },
    {
      name: "groups",
      array: [
        { name: "groupId", type: "string" },
        { name: "protocolType", type: "string" },
        { name: "groupState", type: "string", versions: "4+", ignorable: true },
        { name: "groupType", type: "string", versions: "5+", ignorable: true },
      ],
    },
  ],
} as const;

export const listGroupsApi: Api<typeof spec> = defineApi(spec);

export type ListGroupsRequest = RequestOf<typeof spec>;
export type ListGroupsRequestInput = RequestInput<typeof spec>;
export type ListGroupsResponse = ResponseOf<typeof spec>;
export type ListGroupsResponseInput = ResponseInput<typeof spec>;
