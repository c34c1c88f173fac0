import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Configuration of topics (resource type 2), brokers (4), groups (32). `configurationKeys` null means all.
 *
 * v1 sources and synonyms; v3 types and documentation; v4 flexible.
 *
 * Source: DescribeConfigsRequest.json, DescribeConfigsResponse.json v1–v4 (Apache Kafka 4.2).
 */
const spec = {
  key: 32,
  name: "DescribeConfigs",
  versions: "1-4",
  flexibleFrom: 4,
  request: [
    {
      name: "resources",
      array: [
        { name: "resourceType", type: "int8" },
        { name: "resourceName", type: "string" },
        { name: "configurationKeys", array: "string", nullable: true },
      ],
    },
    { name: "includeSynonyms", type: "bool", default: false },
    { name: "includeDocumentation", type: "bool", versions: "3+", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", default: 0 },
    {
      name: "results",
      array: [
        { name: "errorCode", type: "int16" },
        { name: "errorMessage", type: "string", nullable: true },
        { name: "resourceType", type: "int8" },
        { name: "resourceName", type: "string" },
        {
          name: "configs",
          array: [
            { name: "name", type: "string" },
            { name: "value", type: "string", nullable: true },
            { name: "readOnly", type: "bool" },
            { name: "configSource", type: "int8", default: -1 },
            { name: "isSensitive", type: "bool" },
            {
              name: "synonyms",
              array: [
                { name: "name", type: "string" },
                { name: "value", type: "string", nullable: true },
                { name: "source", type: "int8" },
              ],
            },
            { name: "configType", type: "int8", versions: "3+", default: 0, ignorable: true },
            {
              name: "documentation",
              type: "string",
              versions: "3+",
              nullable: true,
              ignorable: true,
            },
          ],
        },
      ],
    },
  ],
} as const;

export const describeConfigsApi: Api<typeof spec> = defineApi(spec);

export type DescribeConfigsRequest = RequestOf<typeof spec>;
export type DescribeConfigsRequestInput = RequestInput<typeof spec>;
export type DescribeConfigsResponse = ResponseOf<typeof spec>;
export type DescribeConfigsResponseInput = ResponseInput<typeof spec>;
