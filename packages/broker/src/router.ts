import {
  type Api,
  type ApiSpec,
  apiVersionsApi,
  createTopicsApi,
  deleteTopicsApi,
  encodeResponse,
  fetchApi,
  initProducerIdApi,
  listOffsetsApi,
  metadataApi,
  produceApi,
  type RequestOf,
  type ResponseInput,
} from "@karst/kafka-protocol";
import { type Outgoing, outgoingOf } from "./connection/response-queue.ts";
import { produce } from "./handlers/00-produce.ts";
import { fetch } from "./handlers/01-fetch.ts";
import { listOffsets } from "./handlers/02-list-offsets.ts";
import { metadata } from "./handlers/03-metadata.ts";
import { type AdvertisedApi, apiVersions } from "./handlers/18-api-versions.ts";
import { createTopics } from "./handlers/19-create-topics.ts";
import { deleteTopics } from "./handlers/20-delete-topics.ts";
import { initProducerId } from "./handlers/22-init-producer-id.ts";
import type { BrokerContext, Handling, RequestContext } from "./handlers/handler.ts";

/** A request on its way: see `Handling`. */
export interface RoutedRequest {
  readonly admitted: Promise<void> | undefined;
  readonly outgoing: Promise<Outgoing | undefined>;
}

/** One API that we serve. */
export interface Route {
  readonly key: number;
  readonly name: string;
  /** Versions that are served. */
  readonly min: number;
  readonly max: number;
  /** Lowest version that is advertised. */
  readonly advertisedMin: number;
  /** @throws KarstError `MALFORMED_MESSAGE` (`corrupt`). */
  run(
    broker: BrokerContext,
    body: Uint8Array,
    correlationId: number,
    context: RequestContext,
  ): RoutedRequest;
}

/** May lend memory to its response, which it wants back. */
type LendingHandling<Response> = Handling<Response> & { readonly release?: () => void };

function route<Spec extends ApiSpec>(
  api: Api<Spec>,
  versions: { readonly min: number; readonly max: number; readonly advertisedMin?: number },
  handle: (
    broker: BrokerContext,
    request: RequestOf<Spec>,
    context: RequestContext,
  ) => LendingHandling<ResponseInput<Spec>>,
): Route {
  return {
    key: api.key,
    name: api.name,
    min: versions.min,
    max: versions.max,
    advertisedMin: versions.advertisedMin ?? versions.min,
    run: (broker, body, correlationId, context) => {
      // Kafka ignores bytes after a message, and some clients send them.
      const request = api.request.decode(context.version, body, { trailingBytes: "ignored" });
      const handling = handle(broker, request, context);
      return {
        admitted: handling.admitted,
        outgoing: encoded(api, handling, correlationId, context),
      };
    },
  };
}

async function encoded<Spec extends ApiSpec>(
  api: Api<Spec>,
  handling: LendingHandling<ResponseInput<Spec>>,
  correlationId: number,
  context: RequestContext,
): Promise<Outgoing | undefined> {
  const release = handling.release;
  try {
    const response = await handling.response;
    if (response === undefined) {
      release?.();
      return undefined;
    }
    const parts = encodeResponse(api, { apiVersion: context.version, correlationId }, response);
    return outgoingOf(parts, release);
  } catch (error) {
    release?.();
    throw error;
  }
}

const served: readonly Route[] = [
  route(produceApi, { min: 3, max: 13, advertisedMin: 0 }, produce),
  route(fetchApi, { min: 4, max: 17 }, fetch),
  route(listOffsetsApi, { min: 1, max: 10 }, listOffsets),
  route(metadataApi, { min: 0, max: 13 }, metadata),
  route(createTopicsApi, { min: 2, max: 7 }, createTopics),
  route(deleteTopicsApi, { min: 1, max: 6 }, deleteTopics),
  route(initProducerIdApi, { min: 0, max: 5 }, initProducerId),
];

const apiVersionsRange = { min: 0, max: 4 };

/** What a client is told that it may send. */
export const advertisedApis: readonly AdvertisedApi[] = [
  ...served.map(({ key, advertisedMin, max }) => ({
    apiKey: key,
    minVersion: advertisedMin,
    maxVersion: max,
  })),
  {
    apiKey: apiVersionsApi.key,
    minVersion: apiVersionsRange.min,
    maxVersion: apiVersionsRange.max,
  },
].sort((a, b) => a.apiKey - b.apiKey);

const apiVersionsRoute = route(apiVersionsApi, apiVersionsRange, (_broker, request, context) =>
  apiVersions(advertisedApis, request, context),
);

const routes: ReadonlyMap<number, Route> = new Map(
  [...served, apiVersionsRoute].map((entry) => [entry.key, entry]),
);

/** The route of an API, if we serve this version of it. */
export function findRoute(apiKey: number, version: number): Route | undefined {
  const found = routes.get(apiKey);
  return found !== undefined && version >= found.min && version <= found.max ? found : undefined;
}
