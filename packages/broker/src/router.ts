import {
  type Api,
  type ApiSpec,
  apiVersionsApi,
  createTopicsApi,
  deleteGroupsApi,
  deleteTopicsApi,
  describeClusterApi,
  describeConfigsApi,
  describeGroupsApi,
  encodeResponse,
  fetchApi,
  findCoordinatorApi,
  heartbeatApi,
  initProducerIdApi,
  joinGroupApi,
  leaveGroupApi,
  listGroupsApi,
  listOffsetsApi,
  metadataApi,
  offsetForLeaderEpochApi,
  offsetCommitApi,
  offsetDeleteApi,
  offsetFetchApi,
  produceApi,
  type RequestOf,
  type ResponseInput,
  syncGroupApi,
} from "@karst/kafka-protocol";
import { type Outgoing, outgoingOf } from "./connection/response-queue.ts";
import { produce } from "./handlers/00-produce.ts";
import { fetch } from "./handlers/01-fetch.ts";
import { listOffsets } from "./handlers/02-list-offsets.ts";
import { metadata } from "./handlers/03-metadata.ts";
import { offsetCommit } from "./handlers/08-offset-commit.ts";
import { offsetFetch } from "./handlers/09-offset-fetch.ts";
import { findCoordinator } from "./handlers/10-find-coordinator.ts";
import { joinGroup } from "./handlers/11-join-group.ts";
import { heartbeat } from "./handlers/12-heartbeat.ts";
import { leaveGroup } from "./handlers/13-leave-group.ts";
import { syncGroup } from "./handlers/14-sync-group.ts";
import { describeGroups } from "./handlers/15-describe-groups.ts";
import { listGroups } from "./handlers/16-list-groups.ts";
import { type AdvertisedApi, apiVersions } from "./handlers/18-api-versions.ts";
import { createTopics } from "./handlers/19-create-topics.ts";
import { deleteTopics } from "./handlers/20-delete-topics.ts";
import { initProducerId } from "./handlers/22-init-producer-id.ts";
import { offsetForLeaderEpoch } from "./handlers/23-offset-for-leader-epoch.ts";
import { describeConfigs } from "./handlers/32-describe-configs.ts";
import { deleteGroups } from "./handlers/42-delete-groups.ts";
import { offsetDelete } from "./handlers/47-offset-delete.ts";
import { describeCluster } from "./handlers/60-describe-cluster.ts";
import {
  type BrokerContext,
  type Handling,
  type RequestContext,
  WhenDurable,
} from "./handlers/handler.ts";
import type { Waiter } from "./shared-waits.ts";

/** Where a request's outcome goes: one of the calls, once, perhaps before `run` returns. */
export interface Answer {
  /** `undefined`: nothing is sent. */
  ready(outgoing: Outgoing | undefined): void;
  failed(error: unknown): void;
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
  /**
   * Begins a request. Returns what a handling's `admitted` is.
   *
   * @throws KarstError `MALFORMED_MESSAGE` (`corrupt`), with nothing answered.
   */
  run(
    broker: BrokerContext,
    body: Uint8Array,
    context: RequestContext & { readonly correlationId: number },
    answer: Answer,
  ): Promise<void> | undefined;
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
    run: (broker, body, context, answer) => {
      const request = api.request.decode(context.version, body, {
        // As Kafka does: librdkafka 2.15 sends three bytes more in a Metadata v13 of all topics.
        trailingBytes: "ignored",
        elementsMax: broker.limits.requestEntriesMax,
      });
      const handling = handle(broker, request, context);
      new Reply(api, context, broker, answer, handling.release).follow(handling.response);
      return handling.admitted;
    },
  };
}

/** Follows one response until it can be encoded. Gives back what the handler lent it, in every case. */
class Reply<Spec extends ApiSpec> implements Waiter {
  readonly #api: Api<Spec>;
  readonly #context: { readonly version: number; readonly correlationId: number };
  readonly #broker: BrokerContext;
  readonly #answer: Answer;
  readonly #release: (() => void) | undefined;
  #pending: WhenDurable<ResponseInput<Spec>> | undefined;

  constructor(
    api: Api<Spec>,
    context: { readonly version: number; readonly correlationId: number },
    broker: BrokerContext,
    answer: Answer,
    release: (() => void) | undefined,
  ) {
    this.#api = api;
    this.#context = context;
    this.#broker = broker;
    this.#answer = answer;
    this.#release = release;
  }

  follow(response: Handling<ResponseInput<Spec>>["response"]): void {
    if (response instanceof WhenDurable) {
      this.#pending = response;
      this.#broker.waits.wait(response.durable, this);
    } else if (response instanceof Promise) {
      response.then(
        (settled) => this.follow(settled),
        (error: unknown) => this.#fail(error),
      );
    } else {
      this.#send(response);
    }
  }

  resolved(): void {
    let response: ResponseInput<Spec> | undefined;
    try {
      response = this.#pending?.response();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#send(response);
  }

  rejected(cause: unknown): void {
    let response: ResponseInput<Spec> | undefined;
    try {
      response = this.#pending?.failed(cause);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#send(response);
  }

  #send(response: ResponseInput<Spec> | undefined): void {
    if (response === undefined) {
      this.#release?.();
      this.#answer.ready(undefined);
      return;
    }
    const { version: apiVersion, correlationId } = this.#context;
    let outgoing: Outgoing;
    try {
      const parts = encodeResponse(this.#api, { apiVersion, correlationId }, response);
      outgoing = outgoingOf(parts, this.#release);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#answer.ready(outgoing);
  }

  #fail(error: unknown): void {
    this.#release?.();
    this.#answer.failed(error);
  }
}

const served: readonly Route[] = [
  route(produceApi, { min: 3, max: 13, advertisedMin: 0 }, produce),
  route(fetchApi, { min: 4, max: 18 }, fetch),
  route(listOffsetsApi, { min: 1, max: 11 }, listOffsets),
  route(metadataApi, { min: 0, max: 13 }, metadata),
  route(offsetCommitApi, { min: 2, max: 10 }, offsetCommit),
  route(offsetFetchApi, { min: 1, max: 10 }, offsetFetch),
  route(findCoordinatorApi, { min: 0, max: 6 }, findCoordinator),
  route(joinGroupApi, { min: 0, max: 9 }, joinGroup),
  route(heartbeatApi, { min: 0, max: 4 }, heartbeat),
  route(leaveGroupApi, { min: 0, max: 5 }, leaveGroup),
  route(syncGroupApi, { min: 0, max: 5 }, syncGroup),
  route(describeGroupsApi, { min: 0, max: 6 }, describeGroups),
  route(listGroupsApi, { min: 0, max: 5 }, listGroups),
  route(createTopicsApi, { min: 2, max: 7 }, createTopics),
  route(deleteTopicsApi, { min: 1, max: 6 }, deleteTopics),
  route(initProducerIdApi, { min: 0, max: 5 }, initProducerId),
  route(offsetForLeaderEpochApi, { min: 2, max: 4 }, offsetForLeaderEpoch),
  route(describeConfigsApi, { min: 1, max: 4 }, describeConfigs),
  route(deleteGroupsApi, { min: 0, max: 2 }, deleteGroups),
  route(offsetDeleteApi, { min: 0, max: 0 }, offsetDelete),
  route(describeClusterApi, { min: 0, max: 2 }, describeCluster),
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
