import { type Clock, isKarstError } from "@karst/runtime";
import { objectStoreError } from "../../errors.ts";
import { refuseAborted } from "../../lifecycle.ts";
import { type BucketLimits, KEY_CONFLICT_TRIES, RETRY_LIMITS } from "../../limits.ts";
import type { BucketCalls } from "./bucket-calls.ts";
import { Exchange } from "./exchange.ts";
import { type Effect, failureOf, type Verdict, verdictOf } from "./failure.ts";

/** Beyond the longest pause between two tries. */
const LINGER_MS = 500;

export interface RequestsOptions {
  /** For messages: `s3://bucket`. */
  readonly location: string;
  readonly limits: BucketLimits;
  readonly clock: Clock;
}

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
  | {
      readonly tag: "failed";
      readonly verdict: Verdict;
      readonly error: Error;
      readonly exchange: Exchange;
    };

/**
 * Sends a store's requests. One that fails for want of newer credentials is sent a second time, with those; so is one that was signed
 * at a wrong time, where the SDK has learnt the right one, and one that meets a directory where its object is to be, which may just
 * be going; nothing else is.
 *
 * Invariants: `#underWay` calls have not settled; `#refreshing` is the last of `#refreshes`.
 */
export class Requests {
  readonly #calls: BucketCalls;
  readonly #location: string;
  readonly #limits: BucketLimits;
  readonly #clock: Clock;
  #underWay = 0;
  #refreshes = 0;
  #refreshing: Promise<void> = Promise.resolve();
  /** Keeps the process while a caller may be pausing before it tries again: the clock's own timers do not. */
  #linger: NodeJS.Timeout | undefined;

  constructor(calls: BucketCalls, { location, limits, clock }: RequestsOptions) {
    this.#calls = calls;
    this.#location = location;
    this.#limits = limits;
    this.#clock = clock;
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
      const met = new Set<Verdict>();
      for (let tries = 1; ; tries += 1) {
        const refreshes = this.#refreshes;
        const reply = await this.#once(kind, call);
        if (reply.tag === "done") return reply;
        const { verdict } = reply;
        const tryAgain =
          verdict === "key-conflict"
            ? tries < KEY_CONFLICT_TRIES
            : !met.has(verdict) &&
              (verdict === "credentials" ||
                (verdict === "skewed" && this.#calls.followsServerClock));
        if (!tryAgain) return reply;
        met.add(verdict);
        if (verdict === "credentials") await this.#refresh(refreshes, kind.signal);
      }
    } finally {
      this.#underWay -= 1;
    }
  }

  close(): void {
    clearTimeout(this.#linger);
  }

  /**
   * Forgets credentials that were refused, once for all requests that they were refused to.
   *
   * @param known refreshes that had begun when the request began.
   * @throws KarstError `UNAVAILABLE`: the signal has aborted; the request certainly had no effect.
   */
  async #refresh(known: number, signal: AbortSignal | undefined): Promise<void> {
    if (known === this.#refreshes) {
      this.#refreshes += 1;
      this.#refreshing = this.#calls.refreshCredentials();
    }
    await new Exchange(signal).race(this.#refreshing).catch(() => refuseAborted(signal));
  }

  #lingerOn(): void {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => undefined, RETRY_LIMITS.backoffMsMax + LINGER_MS);
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
      const what = `${kind.name} in ${this.#location}`;
      const error = failureOf(verdict, { what, exchange, cause, wallMs: this.#clock.wallMs() });
      if (verdict === "unavailable" || verdict === "unknown") this.#lingerOn();
      return { tag: "failed", verdict, error, exchange };
    } finally {
      exchange.settled();
    }
  }
}

/** Of a call that its caller has given up. */
function cancelled(exchange: Exchange, effect: Effect): Verdict {
  return exchange.outcome.tag === "unsent" || effect === "read" ? "unavailable" : "unknown";
}
