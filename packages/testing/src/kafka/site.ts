import { ErrorCode } from "@karst/kafka-protocol";
import { randomInteger, sleep } from "@karst/runtime";
import type { SeededRandom } from "@karst/runtime/testing";
import { chance } from "../world/draw.ts";
import type { World } from "../world/world.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Ledger } from "./ledger.ts";
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN } from "./limits.ts";
import type { TopicModel } from "./topic-model.ts";

/** What clients have around them. */
export interface Site {
  readonly world: World;
  readonly ledger: Ledger;
  connect(): ClientConnection;
  /** The topic of that name that is known to exist, and is not being deleted. */
  topic(name: string): TopicModel | undefined;
  /** What was found wrong while nobody waited for it. */
  failed(error: unknown): void;
}

/** Errors that a client tries again on, of what certainly did not happen. */
const REFUSALS: ReadonlySet<number> = new Set([
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
]);

export function isRefusal(errorCode: number): boolean {
  return REFUSALS.has(errorCode);
}

/** It may have happened. */
export function isUnknown(errorCode: number): boolean {
  return errorCode === ErrorCode.REQUEST_TIMED_OUT;
}

export function isUnknownTopic(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || errorCode === ErrorCode.UNKNOWN_TOPIC_ID
  );
}

/** A client's connection, opened anew whenever it is lost. */
export class Link {
  readonly #site: Site;
  readonly #random: SeededRandom;
  #connection: ClientConnection | undefined;

  constructor(site: Site, random: SeededRandom) {
    this.#site = site;
    this.#random = random;
  }

  /** The connection, if there is one. */
  get current(): ClientConnection | undefined {
    return this.#connection?.isOpen === true ? this.#connection : undefined;
  }

  /** The connection; where there was one before, a pause precedes the next. */
  async connected(): Promise<ClientConnection> {
    const { current } = this;
    if (current !== undefined) return current;
    if (this.#connection !== undefined) await this.pause();
    this.#connection = this.#site.connect();
    return this.#connection;
  }

  /** Sometimes a client closes its connection for reasons of its own. */
  leaveSometimes(percent: number): void {
    if (chance(this.#random, percent)) this.current?.close();
  }

  /** Before something is tried again. */
  pause(): Promise<void> {
    return sleep(
      this.#site.world.clock,
      randomInteger(this.#random, BACKOFF_MS_MIN, BACKOFF_MS_MAX),
    );
  }
}
