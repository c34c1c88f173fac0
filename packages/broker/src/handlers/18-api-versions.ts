import {
  type ApiVersionsRequest,
  type ApiVersionsResponseInput,
  ErrorCode,
  isClientSoftware,
} from "@karst/kafka-protocol";
import type { Handling, RequestContext } from "./handler.ts";

/*
 * ApiVersions, versions 0–4. An unknown version is answered with a v0 body by the connection, which cannot parse it.
 * Advertises what is implemented and nothing else. Features: none yet (transactions V2 and consumer protocol come with their coordinators).
 */

const FIRST_VERSION_WITH_SOFTWARE = 3;

export interface AdvertisedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export function apiVersions(
  advertised: readonly AdvertisedApi[],
  request: ApiVersionsRequest,
  context: RequestContext,
): Handling<ApiVersionsResponseInput> {
  const known =
    context.version < FIRST_VERSION_WITH_SOFTWARE ||
    (isClientSoftware(request.clientSoftwareName) &&
      isClientSoftware(request.clientSoftwareVersion));
  return {
    response: known
      ? { errorCode: ErrorCode.NONE, apiKeys: advertised }
      : { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] },
  };
}
