import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Cluster id, brokers and controller. Every version is flexible.
 *
 * v1 endpoint type; v2 fenced brokers.
 *
 * Source: DescribeClusterRequest.json, DescribeClusterResponse.json v0–v2 (Apache Kafka 4.2).
 */
const spec = {
  key: 60,
  name: "DescribeCluster",
  versions: "0-2",
  flexibleFrom: 0,
  request: [
    { name: "includeClusterAuthorizedOperations", type: "bool" },
    { name: "endpointType", type: "int8", versions: "1+", default: 1 },
    { name: "includeFencedBrokers", type: "bool", versions: "2+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", default: 0 },
    { name: "errorCode", type: "int16" },
    { name: "errorMessage", type: "string", nullable: true, default: null },
    { name: "endpointType", type: "int8", versions: "1+", default: 1 },
    { name: "clusterId", type: "string" },
    { name: "controllerId", type: "int32", default: -1 },
    {
      name: "brokers",
      array: [
        { name: "brokerId", type: "int32" },
        { name: "host", type: "string" },
        { name: "port", type: "int32" },
        { name: "rack", type: "string", nullable: true, default: null },
        { name: "isFenced", type: "bool", versions: "2+" },
      ],
    },
    { name: "clusterAuthorizedOperations", type: "int32", default: -2147483648 },
  ],
} as const;

export const describeClusterApi: Api<typeof spec> = defineApi(spec);

export type DescribeClusterRequest = RequestOf<typeof spec>;
export type DescribeClusterRequestInput = RequestInput<typeof spec>;
export type DescribeClusterResponse = ResponseOf<typeof spec>;
export type DescribeClusterResponseInput = ResponseInput<typeof spec>;
