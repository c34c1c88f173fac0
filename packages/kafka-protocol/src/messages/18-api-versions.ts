import { defineApi } from "../api.ts";
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from "../api.ts";

/**
 * Version negotiation. The response header is v0 in every version, and a version we do not know is answered in v0
 * (`encodeUnsupportedApiVersions`).
 *
 * v1 throttle time; v3 flexible, client software, features; v4 features whose minimum is 0.
 *
 * Source: ApiVersionsRequest.json, ApiVersionsResponse.json v0–v4 (Apache Kafka 4.2).
 */
const spec = {
  key: 18,
  name: "ApiVersions",
  versions: "0-4",
  flexibleFrom: 3,
  responseHeader: 0,
  request: [
    { name: "clientSoftwareName", type: "string", versions: "3+", ignorable: true },
    { name: "clientSoftwareVersion", type: "string", versions: "3+", ignorable: true },
  ],
  response: [
    { name: "errorCode", type: "int16" },
    {
      name: "apiKeys",
      array: [
        { name: "apiKey", type: "int16" },
        { name: "minVersion", type: "int16" },
        { name: "maxVersion", type: "int16" },
      ],
    },
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0, ignorable: true },
    {
      name: "supportedFeatures",
      versions: "3+",
      tag: 0,
      ignorable: true,
      array: [
        { name: "name", type: "string" },
        { name: "minVersion", type: "int16" },
        { name: "maxVersion", type: "int16" },
      ],
    },
    {
      name: "finalizedFeaturesEpoch",
      type: "int64",
      versions: "3+",
      tag: 1,
      default: -1,
      ignorable: true,
    },
    {
      name: "finalizedFeatures",
      versions: "3+",
      tag: 2,
      ignorable: true,
      array: [
        { name: "name", type: "string" },
        { name: "maxVersionLevel", type: "int16" },
        { name: "minVersionLevel", type: "int16" },
      ],
    },
    {
      name: "zkMigrationReady",
      type: "bool",
      versions: "3+",
      tag: 3,
      default: false,
      ignorable: true,
    },
  ],
} as const;

export const apiVersionsApi: Api<typeof spec> = defineApi(spec);

export type ApiVersionsRequest = RequestOf<typeof spec>;
export type ApiVersionsRequestInput = RequestInput<typeof spec>;
export type ApiVersionsResponse = ResponseOf<typeof spec>;
export type ApiVersionsResponseInput = ResponseInput<typeof spec>;
