import type { Topics } from "@karst/core";
import type { Counter, Logger, Runtime } from "@karst/runtime";
import type { FetchSessions } from "../fetch/fetch-sessions.ts";
import type { GroupCoordinator } from "../groups/group-coordinator.ts";
import type { BrokerLimits } from "../limits.ts";
import type { SharedWaits } from "../shared-waits.ts";

/** The one Kafka node id of a broker with one node. */
export const NODE_ID = 1;

/** What handlers share. */
export interface BrokerContext {
  readonly topics: Topics;
  readonly groups: GroupCoordinator;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly limits: BrokerLimits;
  /** Text form of the root's id. */
  readonly clusterId: string;
  /** Where clients reach us. */
  readonly advertised: { readonly host: string; readonly port: number };
  readonly autoCreateTopics: boolean;
  readonly waits: SharedWaits;
  readonly fetchSessions: FetchSessions;
  readonly counters: {
    readonly producedBatches: Counter;
    readonly fetchedBytes: Counter;
  };
}

/** One request. */
export interface RequestContext {
  readonly version: number;
  readonly clientId: string | null;
  /** Address and port of the client. */
  readonly peer: string;
  /** Calls back when the connection is gone: whoever waits for it gives up. Returns the unsubscriber. */
  onClosed(listener: () => void): () => void;
}

/** A response that is decided, but for whether what it rests on becomes durable. */
export abstract class WhenDurable<Response> {
  /** Shared by many requests. */
  readonly durable: Promise<void>;

  constructor(durable: Promise<void>) {
    this.durable = durable;
  }

  abstract response(): Response;
  /** The response where `durable` rejects. */
  abstract failed(error: unknown): Response;
}

/** What a handler does with a request. */
export interface Handling<Response> {
  /**
   * Pending while the request must take effect before a later one of the connection may begin; absent: it has taken effect.
   * Never rejects.
   */
  readonly admitted?: Promise<void>;
  /** `undefined`: nothing is sent. A rejection closes the connection. */
  readonly response:
    | Response
    | undefined
    | WhenDurable<Response>
    | Promise<Response | undefined | WhenDurable<Response>>;
}
