import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Reads record batches, waiting for them when there are too few.
 *
 * v4 isolation level and aborted transactions; v5 logStartOffset; v7 sessions (KIP-227); v9 leader epoch; v11 rack (KIP-392); v12 flexible;
 * v13 topic id instead of name (KIP-516); v15 replica state (KIP-903); v16 node endpoints (KIP-951); v17 replica directory; v18 high watermark hint.
 *
 * Source: FetchRequest.json, FetchResponse.json v4–v18 (Apache Kafka 4.2).
 */
const spec = {
  key: 1,
  name: "Fetch",
  versions: "4-18",
  flexibleFrom: 12,
  request: [
    {
      name: "clusterId",
      type: "string",
      versions: "12+",
      nullable: true,
      tag: 0,
      default: null,
      ignorable: true,
    },
    { name: "replicaId", type: "int32", versions: "4-14", default: -1 },
    {
      name: "replicaState",
      versions: "15+",
      tag: 1,
      struct: [
        { name: "replicaId", type: "int32", default: -1 },
        { name: "replicaEpoch", type: "int64", default: -1 },
      ],
    },
    { name: "maxWaitMs", type: "int32" },
    { name: "minBytes", type: "int32" },
    { name: "maxBytes", type: "int32", default: 2147483647 },
    { name: "isolationLevel", type: "int8", default: 0 },
    { name: "sessionId", type: "int32", versions: "7+", default: 0, ignorable: true },
    { name: "sessionEpoch", type: "int32", versions: "7+", default: -1, ignorable: true },
    {
      name: "topics",
      array: [
        { name: "topic", type: "string", versions: "4-12", ignorable: true },
        { name: "topicId", type: "uuid", versions: "13+", ignorable: true },
        {
          name: "partitions",
          array: [
            { name: "partition", type: "int32" },
            {
              name: "currentLeaderEpoch",
              type: "int32",
              versions: "9+",
              default: -1,
              ignorable: true,
            },
            { name: "fetchOffset", type: "int64Clamped" },
            { name: "lastFetchedEpoch", type: "int32", versions: "12+", default: -1 },
            { name: "logStartOffset", type: "int64", versions: "5+", default: -1, ignorable: true },
            { name: "partitionMaxBytes", type: "int32" },
            { name: "replicaDirectoryId", type: "uuid", versions: "17+", tag: 0, ignorable: true },
            {
              name: "highWatermark",
              type: "int64Clamped",
              versions: "18+",
              tag: 1,
              default: 9007199254740991,
              ignorable: true,
            },
          ],
        },
      ],
    },
    {
      name: "forgottenTopicsData",
      versions: "7+",
      array: [
        { name: "topic", type: "string", versions: "7-12", ignorable: true },
        { name: "topicId", type: "uuid", versions: "13+", ignorable: true },
        { name: "partitions", array: "int32" },
      ],
    },
    { name: "rackId", type: "string", versions: "11+", default: "", ignorable: true },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", default: 0 },
    { name: "errorCode", type: "int16", versions: "7+", ignorable: true },
    { name: "sessionId", type: "int32", versions: "7+", default: 0 },
    {
      name: "responses",
      array: [
        { name: "topic", type: "string", versions: "4-12", ignorable: true },
        { name: "topicId", type: "uuid", versions: "13+", ignorable: true },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32" },
            { name: "errorCode", type: "int16" },
            { name: "highWatermark", type: "int64" },
            { name: "lastStableOffset", type: "int64", default: -1 },
            { name: "logStartOffset", type: "int64", versions: "5+", default: -1, ignorable: true },
            {
              name: "divergingEpoch",
              versions: "12+",
              tag: 0,
              struct: [
                { name: "epoch", type: "int32", default: -1 },
                { name: "endOffset", type: "int64", default: -1 },
              ],
            },
            {
              name: "currentLeader",
              versions: "12+",
              tag: 1,
              struct: [
                { name: "leaderId", type: "int32", default: -1 },
                { name: "leaderEpoch", type: "int32", default: -1 },
              ],
            },
            {
              name: "snapshotId",
              versions: "12+",
              tag: 2,
              struct: [
                { name: "endOffset", type: "int64", default: -1 },
                { name: "epoch", type: "int32", default: -1 },
              ],
            },
            {
              name: "abortedTransactions",
              nullable: true,
              array: [
                { name: "producerId", type: "int64" },
                { name: "firstOffset", type: "int64" },
              ],
            },
            { name: "preferredReadReplica", type: "int32", versions: "11+", default: -1 },
            { name: "records", type: "records", nullable: true },
          ],
        },
      ],
    },
    {
      name: "nodeEndpoints",
      versions: "16+",
      tag: 0,
      array: [
        { name: "nodeId", type: "int32" },
        { name: "host", type: "string" },
        { name: "port", type: "int32" },
        { name: "rack", type: "string", nullable: true, default: null },
      ],
    },
  ],
} as const;

export const fetchApi: Api<typeof spec> = defineApi(spec);

export type FetchRequest = RequestOf<typeof spec>;
export type FetchRequestInput = RequestInput<typeof spec>;
export type FetchResponse = ResponseOf<typeof spec>;
export type FetchResponseInput = ResponseInput<typeof spec>;
