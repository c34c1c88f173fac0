import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Keeps a member of a classic group alive.
 *
 * v3 static membership; v4 flexible.
 *
 * Source: HeartbeatRequest.json, HeartbeatResponse.json v0–v4 (Apache Kafka 4.2).
 */
const spec = {
  key: 12,
  name: "Heartbeat",
  versions: "0-4",
  flexibleFrom: 4,
  request: [
    { name: "groupId", type: "string" },
    { name: "generationId", type: "int32" },
    { name: "memberId", type: "string" },
    { name: "groupInstanceId", type: "string", versions: "3+", nullable: true, default: null },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0, ignorable: true },
    { name: "errorCode", type: "int16" },
  ],
} as const;

export const heartbeatApi: Api<typeof spec> = defineApi(spec);

export type HeartbeatRequest = RequestOf<typeof spec>;
export type HeartbeatRequestInput = RequestInput<typeof spec>;
export type HeartbeatResponse = ResponseOf<typeof spec>;
export type HeartbeatResponseInput = ResponseInput<typeof spec>;
