import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Leaves a classic group; from v3 for several members.
 *
 * v3 several members; v4 flexible; v5 reason.
 *
 * Source: LeaveGroupRequest.json, LeaveGroupResponse.json v0–v5 (Apache Kafka 4.2).
 */
const spec = {
  key: 13,
  name: "LeaveGroup",
  versions: "0-5",
  flexibleFrom: 4,
  request: [
    { name: "groupId", type: "string" },
    { name: "memberId", type: "string", versions: "0-2" },
    {
      name: "members",
      versions: "3+",
      array: [
        { name: "memberId", type: "string" },
        { name: "groupInstanceId", type: "string", nullable: true, default: null },
        {
          name: "reason",
          type: "string",
          versions: "5+",
          nullable: true,
          default: null,
          ignorable: true,
        },
      ],
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0, ignorable: true },
    { name: "errorCode", type: "int16" },
    {
      name: "members",
      versions: "3+",
      array: [
        { name: "memberId", type: "string" },
        { name: "groupInstanceId", type: "string", nullable: true },
        { name: "errorCode", type: "int16" },
      ],
    },
  ],
} as const;

export const leaveGroupApi: Api<typeof spec> = defineApi(spec);

export type LeaveGroupRequest = RequestOf<typeof spec>;
export type LeaveGroupRequestInput = RequestInput<typeof spec>;
export type LeaveGroupResponse = ResponseOf<typeof spec>;
export type LeaveGroupResponseInput = ResponseInput<typeof spec>;
