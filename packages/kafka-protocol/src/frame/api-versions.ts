import { ErrorCode } from "../error-code.ts";
import { apiVersionsApi } from "../messages/18-api-versions.ts";
import { encodeResponse } from "./response.ts";

/**
 * The frame that answers an ApiVersions request of a version that is not known: always a v0 body, so that every client can read it and
 * come back with a version in the range. `clientSoftwareName` and the rest of the request are not read.
 */
export function encodeUnsupportedApiVersions(correlationId: number): Uint8Array[] {
  const { key, versions } = apiVersionsApi;
  return encodeResponse(
    apiVersionsApi,
    { apiVersion: 0, correlationId },
    {
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: key, minVersion: versions.min, maxVersion: versions.max }],
    },
  );
}

/**
 * Whether an ApiVersions request (v3 and later) may name its client so; otherwise the answer is INVALID_REQUEST.
 *
 * Source: KIP-511.
 */
export function isClientSoftware(text: string): boolean {
  return /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/.test(text);
}
