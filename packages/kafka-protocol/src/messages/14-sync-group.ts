import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * The leader hands out assignments of a classic group, every member gets its own. An empty assignment is zero bytes, never null.
 *
 * v3 static membership; v4 flexible; v5 protocol type and name.
 *
 * Source: SyncGroupRequest.json, SyncGroupResponse.json v0–v5 (Apache Kafka 4.2).
 */
const spec = {
  key: 14,
  name: "SyncGroup",
  versions: "0-5",
  flexibleFrom: 4,
  request: [
    { name: "groupId", type: "string" },
    { name: "generationId", type: "int32" },
    { name: "memberId", type: "string" },
    { name: "groupInstanceId", type: "string", versions: "3+", nullable: true, default: null },
    {
      name: "protocolType",
      type: "string",
      versions: "5+",
      nullable: true,
      default: null,
      ignorable: true,
    },
    {
      name: "protocolName",
      type: "string",
      versions: "5+",
      nullable: true,
      default: null,
      ignorable: true,
    },
    {
      name: "assignments",
      array: [
        { name: "memberId", type: "string" },
        { name: "assignment", type: "bytes" },
      ],
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0, ignorable: true },
    { name: "errorCode", type: "int16" },
    {
      name: "protocolType",
      type: "string",
      versions: "5+",
      nullable: true,
      default: null,
      ignorable: true,
    },
    {
      name: "protocolName",
      type: "string",
      versions: "5+",
      nullable: true,
      default: null,
      ignorable: true,
    },
    { name: "assignment", type: "bytes" },
  ],
} as const;

export const syncGroupApi: Api<typeof spec> = defineApi(spec);

export type SyncGroupRequest = RequestOf<typeof spec>;
export type SyncGroupRequestInput = RequestInput<typeof spec>;
export type SyncGroupResponse = ResponseOf<typeof spec>;
export type SyncGroupResponseInput = ResponseInput<typeof spec>;
