import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Describes groups and their members.
 *
 * v3 authorized operations; v4 static membership; v5 flexible; v6 error message, unknown groups are an error.
 *
 * Source: DescribeGroupsRequest.json, DescribeGroupsResponse.json v0–v6 (Apache Kafka 4.2).
 */
const spec = {
  key: 15,
  name: "DescribeGroups",
  versions: "0-6",
  flexibleFrom: 5,
  request: [
    { name: "groups", array: "string" },
    { name: "includeAuthorizedOperations", type: "bool", versions: "3+", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0, ignorable: true },
    {
      name: "groups",
      array: [
        { name: "errorCode", type: "int16" },
        {
          name: "errorMessage",
          type: "string",
          versions: "6+",
          nullable: true,
          default: null,
          ignorable: true,
        },
        { name: "groupId", type: "string" },
        { name: "groupState", type: "string" },
        { name: "protocolType", type: "string" },
        { name: "protocolData", type: "string" },
        {
          name: "members",
          array: [
            { name: "memberId", type: "string" },
            {
              name: "groupInstanceId",
              type: "string",
              versions: "4+",
              nullable: true,
              default: null,
              ignorable: true,
            },
            { name: "clientId", type: "string" },
            { name: "clientHost", type: "string" },
            { name: "memberMetadata", type: "bytes" },
            { name: "memberAssignment", type: "bytes" },
          ],
        },
        {
          name: "authorizedOperations",
          type: "int32",
          versions: "3+",
          default: -2_147_483_648,
          ignorable: true,
        },
      ],
    },
  ],
} as const;

export const describeGroupsApi: Api<typeof spec> = defineApi(spec);

export type DescribeGroupsRequest = RequestOf<typeof spec>;
export type DescribeGroupsRequestInput = RequestInput<typeof spec>;
export type DescribeGroupsResponse = ResponseOf<typeof spec>;
export type DescribeGroupsResponseInput = ResponseInput<typeof spec>;
