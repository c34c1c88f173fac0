import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Brokers, topics, partitions and their leaders. `topics` null means all (in v0: an empty array does), empty means none.
 *
 * v1 controller, rack; v2 cluster id; v4 auto-creation by choice; v5 offline replicas; v7 leader epoch; v8 authorized operations; v9 flexible;
 * v10 topic ids; v12 look-up by topic id; v13 top-level error (KIP-1102).
 *
 * Source: MetadataRequest.json, MetadataResponse.json v0–v13 (Apache Kafka 4.2).
 */
const spec = {
  key: 3,
  name: "Metadata",
  versions: "0-13",
  flexibleFrom: 9,
  request: [
    {
      name: "topics",
      nullable: "1+",
      array: [
        { name: "topicId", type: "uuid", versions: "10+", ignorable: true },
        { name: "name", type: "string", nullable: "10+" },
      ],
    },
    { name: "allowAutoTopicCreation", type: "bool", versions: "4+", default: true },
    { name: "includeClusterAuthorizedOperations", type: "bool", versions: "8-10" },
    { name: "includeTopicAuthorizedOperations", type: "bool", versions: "8+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "3+", default: 0, ignorable: true },
    {
      name: "brokers",
      array: [
        { name: "nodeId", type: "int32" },
        { name: "host", type: "string" },
        { name: "port", type: "int32" },
        {
          name: "rack",
          type: "string",
          versions: "1+",
          nullable: true,
          default: null,
          ignorable: true,
        },
      ],
    },
    {
      name: "clusterId",
      type: "string",
      versions: "2+",
      nullable: true,
      default: null,
      ignorable: true,
    },
    { name: "controllerId", type: "int32", versions: "1+", default: -1, ignorable: true },
    {
      name: "topics",
      array: [
        { name: "errorCode", type: "int16" },
        { name: "name", type: "string", nullable: "12+" },
        { name: "topicId", type: "uuid", versions: "10+", ignorable: true },
        { name: "isInternal", type: "bool", versions: "1+", default: false, ignorable: true },
        {
          name: "partitions",
          array: [
            { name: "errorCode", type: "int16" },
            { name: "partitionIndex", type: "int32" },
            { name: "leaderId", type: "int32" },
            { name: "leaderEpoch", type: "int32", versions: "7+", default: -1, ignorable: true },
            { name: "replicaNodes", array: "int32" },
            { name: "isrNodes", array: "int32" },
            { name: "offlineReplicas", array: "int32", versions: "5+", ignorable: true },
          ],
        },
        { name: "topicAuthorizedOperations", type: "int32", versions: "8+", default: -2147483648 },
      ],
    },
    { name: "clusterAuthorizedOperations", type: "int32", versions: "8-10", default: -2147483648 },
    { name: "errorCode", type: "int16", versions: "13+", ignorable: true },
  ],
} as const;

export const metadataApi: Api<typeof spec> = defineApi(spec);

export type MetadataRequest = RequestOf<typeof spec>;
export type MetadataRequestInput = RequestInput<typeof spec>;
export type MetadataResponse = ResponseOf<typeof spec>;
export type MetadataResponseInput = ResponseInput<typeof spec>;
