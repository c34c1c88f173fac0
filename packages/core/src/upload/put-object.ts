import { concatBytes, equalBytes, isKarstError, type Logger } from "@karst/runtime";
import type { ObjectStore } from "@karst/objectstore";
import { coreError } from "../errors.ts";
import type { EncodedObject } from "../format/object-writer.ts";
import { OBJECT_COMPARISONS_MAX } from "../limits.ts";
import type { Retry } from "./retry.ts";

/**
 * Writes an object under a key that is this engine's alone, and tries until it is there. A key found taken is an earlier try of
 * ours whose answer was lost: its index and footer, whose CRCs cover all of it, say so.
 *
 * @throws KarstError `OBJECT_KEY_TAKEN` (`corrupt`): other bytes are there. The retry's reason, when it aborts. Whatever the store
 * rejects with that is neither `unavailable` nor `indeterminate`.
 */
export async function putObject(
  store: ObjectStore,
  key: string,
  object: EncodedObject,
  options: { readonly retry: Retry; readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const { retry, log, signal } = options;
  for (let differences = 0; differences < OBJECT_COMPARISONS_MAX;) {
    try {
      if ((await store.putIfAbsent(key, object.parts, { signal })) === "created") return;
      const tail = await store.get(key, {
        range: { start: object.indexPosition, end: object.bytes },
        signal,
      });
      if (equalBytes(tail, concatBytes(object.parts.slice(-2)))) return;
      // Once more: bits flip on the way, too.
      differences += 1;
    } catch (error) {
      // A key that is taken without having an object: the answers are of different moments.
      if (!isKarstError(error, "unavailable", "indeterminate", "not_found")) throw error;
      log.warn("object-write-retried", { key, tries: retry.tries + 1, reason: error.message });
      await retry.pause();
    }
  }
  throw coreError(
    "OBJECT_KEY_TAKEN",
    `${key} in ${store.location} holds an object that this engine did not write`,
  );
}
