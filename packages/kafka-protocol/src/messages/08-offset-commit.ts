import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Commits the offsets of a group.
 *
 * v2–v4 retention time; v6 leader epoch; v7 static membership; v8 flexible; v9 member epochs (KIP-848); v10 topic ids.
 *
 * Source: OffsetCommitRequest.json, OffsetCommitResponse.json v2–v10 (Apache Kafka 4.2).
 */
const spec = {
  key: 8,
  name: "OffsetCommit",
  versions: "2-10",
  flexibleFrom: 8,
  request: [
    { name: "groupId", type: "string" },
    { name: "generationIdOrMemberEpoch", type: "int32", default: -1 },
    { name: "memberId", type: "string" },
    { name: "groupInstanceId", type: "string", versions: "7+", nullable: true, default: null },
    { name: "retentionTimeMs", type: "int64", versions: "2-4", default: -1, ignorable: true },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "2-9", ignorable: true },
        { name: "topicId", type: "uuid", versions: "10+", ignorable: true },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32" },
            { name: "committedOffset", type: "int64Clamped" },
            {
              name: "committedLeaderEpoch",
              type: "int32",
              versions: "6+",
              default: -1,
              ignorable: true,
            },
            { name: "committedMetadata", type: "string", nullable: true },
          ],
        },
      ],
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "3+", default: 0, ignorable: true },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "2-9", ignorable: true },
        { name: "topicId", type: "uuid", versions: "10+", ignorable: true },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32" },
            { name: "errorCode", type: "int16" },
          ],
        },
      ],
    },
  ],
} as const;

export const offsetCommitApi: Api<typeof spec> = defineApi(spec);

export type OffsetCommitRequest = RequestOf<typeof spec>;
export type OffsetCommitRequestInput = RequestInput<typeof spec>;
export type OffsetCommitResponse = ResponseOf<typeof spec>;
export type OffsetCommitResponseInput = ResponseInput<typeof spec>;
