import { isKarstError } from "@karst/runtime";
import { objectStoreError } from "../../errors.ts";
import type { BucketLimits } from "../../limits.ts";
import type { BucketCalls } from "./bucket-calls.ts";
import { Exchange } from "./exchange.ts";
import { type Effect, failureOf, type Verdict, verdictOf } from "./failure.ts";

export interface RequestKind {
  /** For messages: `put of a/b`. */
  readonly name: string;
  readonly effect: Effect;
  readonly method?: "HEAD";
  readonly signal?: AbortSignal | undefined;
}

/** A request's result, or what its failure means: an answer to some callers, an error to the others. */
export type Reply<T> =
  | { readonly tag: "done"; readonly value: T; readonly exchange: Exchange }
  | { readonly tag: "failed"; readonly verdict: Verdict; readonly error: Error };

/**
 * Sends a store's requests. One that fails for want of newer credentials is sent a second time, with those; nothing else is.
 *
 * Invariant: `#calls` requests are under way.
 */
export class Requests {
  readonly #calls: BucketCalls;
  readonly #location: string;
  readonly #limits: BucketLimits;
  #underWay = 0;

  constructor(calls: BucketCalls, location: string, limits: BucketLimits) {
    this.#calls = calls;
    this.#location = location;
    this.#limits = limits;
  }

  /** @throws KarstError for every failure. */
  async send<T>(
    kind: RequestKind,
    call: (calls: BucketCalls, exchange: Exchange) => Promise<T>,
  ): Promise<T> {
    const reply = await this.ask(kind, call);
    if (reply.tag === "failed") throw reply.error;
    return reply.value;
  }

  /** @throws KarstError `UNAVAILABLE`: too many requests are under way. */
  async ask<T>(
    kind: RequestKind,
    call: (calls: BucketCalls, exchange: Exchange) => Promise<T>,
  ): Promise<Reply<T>> {
    if (this.#underWay >= this.#limits.calls) {
      const many = `${this.#limits.calls} requests to ${this.#location} are under way already`;
      throw objectStoreError("UNAVAILABLE", many);
    }
    this.#underWay += 1;
    try {
      const first = await this.#once(kind, call);
      if (first.tag === "done" || first.verdict !== "credentials") return first;
      await this.#calls.refreshCredentials();
      return await this.#once(kind, call);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #once<T>(
    kind: RequestKind,
    call: (calls: BucketCalls, exchange: Exchange) => Promise<T>,
  ): Promise<Reply<T>> {
    const exchange = new Exchange(kind.signal);
    try {
      const value = await exchange.race(call(this.#calls, exchange));
      return { tag: "done", value, exchange };
    } catch (cause) {
      if (isKarstError(cause)) throw cause;
      const verdict = exchange.cancelled
        ? cancelled(exchange, kind.effect)
        : verdictOf(exchange, kind.effect, kind.method ?? "other");
      const error = failureOf(verdict, `${kind.name} in ${this.#location}`, exchange, cause);
      return { tag: "failed", verdict, error };
    }
  }
}

/** Of a call that its caller has given up. */
function cancelled(exchange: Exchange, effect: Effect): Verdict {
  return exchange.outcome.tag === "unsent" || effect === "read" ? "unavailable" : "unknown";
}
