import {
  type Clock,
  concatBytes,
  equalBytes,
  hasCode,
  isKarstError,
  type Random,
} from "@karst/runtime";
import { bodyParts } from "./body.ts";
import { objectStoreError } from "./errors.ts";
import { RETRY_LIMITS, type RetryLimits } from "./limits.ts";
import type { CallOptions, ObjectBody, ObjectStore } from "./object-store.ts";
import { Backoff } from "./wrappers/backoff.ts";

export interface ResolveOptions extends CallOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<RetryLimits>;
}

/**
 * `putIfAbsent` whose unknown outcomes are resolved by identity.
 *
 * After an unknown outcome the key is read. The same bytes: created. Other bytes: exists. No object proves nothing, since a put
 * that has not happened yet may still happen; so the same bytes are tried again, which is harmless whichever of the tries
 * wins. An answer `exists` is checked in the same way: something below may have repeated a request whose first try won.
 *
 * @param body holds an id that no other write has: who finds these bytes has found this write.
 * @throws KarstError `UNAVAILABLE` (`unavailable`): certainly not created by this call. `UNKNOWN_OUTCOME` (`indeterminate`):
 *   still unknown after all tries; this write may appear at any later time.
 */
export async function putIfAbsentResolved(
  store: ObjectStore,
  key: string,
  body: ObjectBody,
  options: ResolveOptions,
): Promise<"created" | "exists"> {
  const limits = { ...RETRY_LIMITS, ...options.limits };
  const backoff = new Backoff({
    clock: options.clock,
    random: options.random,
    limits,
    signal: options.signal,
  });
  try {
    return await resolve(store, key, body, backoff);
  } finally {
    backoff.end();
  }
}

type Found = "mine" | "other" | "absent" | { readonly unreadable: unknown };

async function resolve(
  store: ObjectStore,
  key: string,
  body: ObjectBody,
  backoff: Backoff,
): Promise<"created" | "exists"> {
  const { signal } = backoff;
  let unknown: unknown;
  for (;;) {
    let exists = false;
    try {
      exists = (await store.putIfAbsent(key, body, { signal })) === "exists";
      if (!exists) return "created";
    } catch (error) {
      // A definite failure of this try says nothing of an earlier one, whose outcome is still unknown.
      const goesOn =
        isKarstError(error, "indeterminate") ||
        (unknown !== undefined && isKarstError(error, "unavailable"));
      if (!goesOn) throw unknown === undefined ? error : unresolved(key, error);
      unknown = error;
    }
    const found = exists
      ? await lookAgain(store, key, body, backoff)
      : await look(store, key, body, signal);
    if (found === "mine") return "created";
    if (found === "other") return "exists";
    if (exists) {
      // It was there, and is gone again: another's, unless one of our own tries may have been it.
      if (found === "absent" && unknown === undefined) return "exists";
      throw unresolved(key, unknown ?? (typeof found === "object" ? found.unreadable : undefined));
    }
    if (!(await backoff.again())) throw unresolved(key, unknown);
  }
}

/** Looks until the object, which is there, can be read. */
async function lookAgain(
  store: ObjectStore,
  key: string,
  body: ObjectBody,
  backoff: Backoff,
): Promise<Found> {
  for (;;) {
    const found = await look(store, key, body, backoff.signal);
    if (typeof found === "string" || !(await backoff.again())) return found;
  }
}

/** Whose object is at the key. */
async function look(
  store: ObjectStore,
  key: string,
  body: ObjectBody,
  signal: AbortSignal,
): Promise<Found> {
  try {
    return equalBytes(await store.get(key, { signal }), concatBytes(bodyParts(body)))
      ? "mine"
      : "other";
  } catch (error) {
    return hasCode(error, "OBJECT_NOT_FOUND") ? "absent" : { unreadable: error };
  }
}

function unresolved(key: string, cause: unknown): Error {
  return objectStoreError("UNKNOWN_OUTCOME", `whether this call created ${key} is unknown`, cause);
}
