import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Finds the coordinator of a group (key type 0), a transactional id (1) or, from v6, a share group (2).
 *
 * v1 key type, error message; v3 flexible; v4 several keys; v6 share groups.
 *
 * Source: FindCoordinatorRequest.json, FindCoordinatorResponse.json v0–v6 (Apache Kafka 4.2).
 */
const spec = {
  key: 10,
  name: "FindCoordinator",
  versions: "0-6",
  flexibleFrom: 3,
  request: [
    { name: "key", type: "string", versions: "0-3" },
    { name: "keyType", type: "int8", versions: "1+", default: 0 },
    { name: "coordinatorKeys", array: "string", versions: "4+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0, ignorable: true },
    { name: "errorCode", type: "int16", versions: "0-3" },
    { name: "errorMessage", type: "string", versions: "1-3", nullable: true, ignorable: true },
    { name: "nodeId", type: "int32", versions: "0-3" },
    { name: "host", type: "string", versions: "0-3" },
    { name: "port", type: "int32", versions: "0-3" },
    {
      name: "coordinators",
      versions: "4+",
      array: [
        { name: "key", type: "string" },
        { name: "nodeId", type: "int32" },
        { name: "host", type: "string" },
        { name: "port", type: "int32" },
        { name: "errorCode", type: "int16" },
        { name: "errorMessage", type: "string", nullable: true },
      ],
    },
  ],
} as const;

export const findCoordinatorApi: Api<typeof spec> = defineApi(spec);

export type FindCoordinatorRequest = RequestOf<typeof spec>;
export type FindCoordinatorRequestInput = RequestInput<typeof spec>;
export type FindCoordinatorResponse = ResponseOf<typeof spec>;
export type FindCoordinatorResponseInput = ResponseInput<typeof spec>;
