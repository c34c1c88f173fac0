import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Joins a classic consumer group.
 *
 * v1 rebalance timeout; v4 a member id is required; v5 static membership; v6 flexible; v7 protocol type in the response, protocol name may be
 * null; v8 reason; v9 skipAssignment.
 *
 * Source: JoinGroupRequest.json, JoinGroupResponse.json v0–v9 (Apache Kafka 4.2).
 */
const spec = {
  key: 11,
  name: "JoinGroup",
  versions: "0-9",
  flexibleFrom: 6,
  request: [
    { name: "groupId", type: "string" },
    { name: "sessionTimeoutMs", type: "int32" },
    { name: "rebalanceTimeoutMs", type: "int32", versions: "1+", default: -1, ignorable: true },
    { name: "memberId", type: "string" },
    { name: "groupInstanceId", type: "string", versions: "5+", nullable: true, default: null },
    { name: "protocolType", type: "string" },
    {
      name: "protocols",
      array: [
        { name: "name", type: "string" },
        { name: "metadata", type: "bytes" },
      ],
    },
    {
      name: "reason",
      type: "string",
      versions: "8+",
      nullable: true,
      default: null,
      ignorable: true,
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "2+", default: 0, ignorable: true },
    { name: "errorCode", type: "int16" },
    { name: "generationId", type: "int32", default: -1 },
    {
      name: "protocolType",
      type: "string",
      versions: "7+",
      nullable: true,
      default: null,
      ignorable: true,
    },
    { name: "protocolName", type: "string", nullable: "7+" },
    { name: "leader", type: "string" },
    { name: "skipAssignment", type: "bool", versions: "9+", default: false },
    { name: "memberId", type: "string" },
    {
      name: "members",
      array: [
        { name: "memberId", type: "string" },
        {
          name: "groupInstanceId",
          type: "string",
          versions: "5+",
          nullable: true,
          default: null,
          ignorable: true,
        },
        { name: "metadata", type: "bytes" },
      ],
    },
  ],
} as const;

export const joinGroupApi: Api<typeof spec> = defineApi(spec);

export type JoinGroupRequest = RequestOf<typeof spec>;
export type JoinGroupRequestInput = RequestInput<typeof spec>;
export type JoinGroupResponse = ResponseOf<typeof spec>;
export type JoinGroupResponseInput = ResponseInput<typeof spec>;
