import { type Clock, hasCode, isKarstError, type Random } from "@karst/runtime";
import { objectStoreError } from "../errors.ts";
import { RETRY_LIMITS, type RetryLimits } from "../limits.ts";
import type { ObjectInfo, ObjectStore } from "../object-store.ts";
import { Backoff } from "./backoff.ts";
import {
  HookedObjectStore,
  type ListPass,
  type Pass,
  type StoreCall,
  type StoreHooks,
  type WriteCall,
  type WriteMethod,
} from "./hooked.ts";

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<RetryLimits>;
}

/**
 * Whether a write whose outcome is unknown may be sent again, because a second time it does what it did the first time. Where
 * not, the second answer would be about the first try: `putIfAbsent` goes through `putIfAbsentResolved`.
 */
const REPEATABLE: Readonly<Record<WriteMethod, boolean>> = {
  put: true,
  putIfAbsent: false,
  putIfMatch: false,
  delete: true,
  createMultipart: false,
  part: true,
  complete: false,
  abort: true,
};

/**
 * Tries again, after jittered and growing pauses, what certainly did not happen (`unavailable`) and what may happen twice, up to
 * a number of tries and a deadline. A call of which one try ended unknown never ends as `unavailable`. A list goes on after
 * the last entry that it gave; the limits count from the first failure since then, and do not abort a try under way.
 */
export function retryingObjectStore(store: ObjectStore, options: RetryOptions): ObjectStore {
  return new HookedObjectStore(store, new Retrier(options));
}

class Retrier implements StoreHooks {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: RetryLimits;

  constructor(options: RetryOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#limits = { ...RETRY_LIMITS, ...options.limits };
  }

  write<T>(call: WriteCall, pass: Pass<T>): Promise<T> {
    return this.#retry(call, REPEATABLE[call.method], pass);
  }

  get(call: StoreCall, pass: Pass<Uint8Array>): Promise<Uint8Array> {
    return this.#retry(call, true, pass);
  }

  head(call: StoreCall, pass: Pass<ObjectInfo | undefined>): Promise<ObjectInfo | undefined> {
    return this.#retry(call, true, pass);
  }

  async *list(
    call: StoreCall & { readonly startAfter: string },
    pass: ListPass,
  ): AsyncGenerator<ObjectInfo, void, undefined> {
    let startAfter = call.startAfter;
    let backoff: Backoff | undefined;
    try {
      for (;;) {
        try {
          for await (const info of pass({ startAfter, signal: call.signal })) {
            backoff?.end();
            backoff = undefined;
            yield info;
            startAfter = info.key;
          }
          return;
        } catch (error) {
          backoff ??= this.#backoff(call);
          if (!passes(error) || !(await backoff.again())) throw error;
        }
      }
    } finally {
      backoff?.end();
    }
  }

  async #retry<T>(call: StoreCall, repeatable: boolean, pass: Pass<T>): Promise<T> {
    const backoff = this.#backoff(call);
    let unknown: unknown;
    try {
      for (;;) {
        try {
          return await pass({ signal: backoff.signal });
        } catch (error) {
          const indeterminate = isKarstError(error, "indeterminate");
          if (indeterminate) unknown = error;
          const retriable = passes(error) || (indeterminate && repeatable);
          if (retriable && (await backoff.again())) continue;
          if (unknown === undefined || indeterminate) throw error;
          throw objectStoreError(
            "UNKNOWN_OUTCOME",
            `${call.method} of ${call.key}: an earlier try may have happened`,
            error,
          );
        }
      }
    } finally {
      backoff.end();
    }
  }

  #backoff(call: StoreCall): Backoff {
    return new Backoff({
      clock: this.#clock,
      random: this.#random,
      limits: this.#limits,
      signal: call.signal,
    });
  }
}

/** Whether it did not happen and a second later may. Wrong credentials do not mend themselves so soon: the caller hears of them. */
function passes(error: unknown): boolean {
  return isKarstError(error, "unavailable") && !hasCode(error, "STORE_REFUSED");
}
