import type { Topics } from "@karst/core";
import type { Counter, Logger, Runtime } from "@karst/runtime";
import type { BrokerLimits } from "../limits.ts";

/** The one Kafka node id of a broker with one node. */
export const NODE_ID = 1;

/** What handlers share. */
export interface BrokerContext {
  readonly topics: Topics;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly limits: BrokerLimits;
  /** Text form of the root's id. */
  readonly clusterId: string;
  /** Where clients reach us. */
  readonly advertised: { readonly host: string; readonly port: number };
  readonly autoCreateTopics: boolean;
  readonly counters: {
    readonly producedBatches: Counter;
    readonly fetchedBytes: Counter;
  };
}

/** One request. */
export interface RequestContext {
  readonly version: number;
  readonly clientId: string | null;
  /** Calls back when the connection is gone: whoever waits for it gives up. Returns the unsubscriber. */
  onClosed(listener: () => void): () => void;
}

/** What a handler does with a request. */
export interface Handling<Response> {
  /**
   * Pending while the request must take effect before a later one of the connection may begin; absent: it has taken effect.
   * Never rejects.
   */
  readonly admitted?: Promise<void>;
  /** `undefined`: nothing is sent. A rejection closes the connection. */
  readonly response: Response | undefined | Promise<Response | undefined>;
}
