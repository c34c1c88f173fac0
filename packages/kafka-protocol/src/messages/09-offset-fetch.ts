import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Reads the committed offsets of a group, from v8 of several. `topics` null means all; nothing committed: offset -1, metadata "".
 *
 * v2 top-level error; v5 leader epoch; v6 flexible; v7 requireStable; v8 several groups; v9 member epochs (KIP-848); v10 topic ids.
 *
 * Source: OffsetFetchRequest.json, OffsetFetchResponse.json v1–v10 (Apache Kafka 4.2).
 */
const spec = {
  key: 9,
  name: "OffsetFetch",
  versions: "1-10",
  flexibleFrom: 6,
  request: [
    { name: "groupId", type: "string", versions: "1-7" },
    {
      name: "topics",
      versions: "1-7",
      nullable: "2-7",
      array: [
        { name: "name", type: "string" },
        { name: "partitionIndexes", array: "int32" },
      ],
    },
    {
      name: "groups",
      versions: "8+",
      array: [
        { name: "groupId", type: "string" },
        {
          name: "memberId",
          type: "string",
          versions: "9+",
          nullable: true,
          default: null,
          ignorable: true,
        },
        { name: "memberEpoch", type: "int32", versions: "9+", default: -1, ignorable: true },
        {
          name: "topics",
          nullable: true,
          array: [
            { name: "name", type: "string", versions: "8-9", ignorable: true },
            { name: "topicId", type: "uuid", versions: "10+", ignorable: true },
            { name: "partitionIndexes", array: "int32" },
          ],
        },
      ],
    },
    { name: "requireStable", type: "bool", versions: "7+", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "3+", default: 0, ignorable: true },
    {
      name: "topics",
      versions: "1-7",
      array: [
        { name: "name", type: "string" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32" },
            { name: "committedOffset", type: "int64Clamped" },
            {
              name: "committedLeaderEpoch",
              type: "int32",
              versions: "5-7",
              default: -1,
              ignorable: true,
            },
            { name: "metadata", type: "string", nullable: true },
            { name: "errorCode", type: "int16" },
          ],
        },
      ],
    },
    { name: "errorCode", type: "int16", versions: "2-7", default: 0, ignorable: true },
    {
      name: "groups",
      versions: "8+",
      array: [
        { name: "groupId", type: "string" },
        {
          name: "topics",
          array: [
            { name: "name", type: "string", versions: "8-9", ignorable: true },
            { name: "topicId", type: "uuid", versions: "10+", ignorable: true },
            {
              name: "partitions",
              array: [
                { name: "partitionIndex", type: "int32" },
                { name: "committedOffset", type: "int64Clamped" },
                { name: "committedLeaderEpoch", type: "int32", default: -1 },
                { name: "metadata", type: "string", nullable: true },
                { name: "errorCode", type: "int16" },
              ],
            },
          ],
        },
        { name: "errorCode", type: "int16", default: 0 },
      ],
    },
  ],
} as const;

export const offsetFetchApi: Api<typeof spec> = defineApi(spec);

export type OffsetFetchRequest = RequestOf<typeof spec>;
export type OffsetFetchRequestInput = RequestInput<typeof spec>;
export type OffsetFetchResponse = ResponseOf<typeof spec>;
export type OffsetFetchResponseInput = ResponseInput<typeof spec>;
