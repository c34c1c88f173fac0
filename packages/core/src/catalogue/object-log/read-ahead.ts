import { isKarstError } from "@karst/runtime";
import { coreError } from "../../errors.ts";
import type { Entry } from "./entry.ts";
import type { LogStore } from "./log-store.ts";
import { entryKey } from "./object-keys.ts";

/**
 * Entries that follow one another. `missing`: there was no next one. `more`: there may be. `broken`: what comes next cannot be:
 * either the log was trimmed there and a newer snapshot says what happened, or it is corrupt.
 */
export interface EntryRun {
  readonly entries: readonly Entry[];
  readonly end:
    | { readonly tag: "missing" }
    | { readonly tag: "more" }
    | { readonly tag: "broken"; readonly error: Error };
}

type Found = Entry | undefined | { readonly error: Error };

/**
 * Reads the entries after one, `width` at a time and then more, at least up to `width.max` of them where they are there.
 *
 * @param after the last entry known.
 */
export async function readAhead(
  store: LogStore,
  after: { readonly revision: number; readonly entryId: string },
  width: { readonly first: number; readonly max: number },
): Promise<EntryRun> {
  const entries: Entry[] = [];
  let last = after.entryId;
  for (let wide = width.first; entries.length < width.max; wide = Math.min(wide * 2, width.max)) {
    const first = after.revision + entries.length + 1;
    const found = await Promise.all(
      Array.from({ length: wide }, (_, i) => tryEntry(store, first + i)),
    );
    for (const [i, seen] of found.entries()) {
      const later = found.slice(i + 1).some((other) => other !== undefined);
      const next = seen ?? (later ? await tryAgain(store, first + i) : undefined);
      if (next === undefined) return { entries, end: { tag: "missing" } };
      if ("error" in next) return { entries, end: { tag: "broken", error: next.error } };
      if (next.predecessor !== last)
        return { entries, end: { tag: "broken", error: unlinked(next) } };
      entries.push(next);
      last = next.id;
    }
  }
  return { entries, end: { tag: "more" } };
}

/** An entry below one that exists: it was created before that one, so that it is missing for good if it is missing now. */
async function tryAgain(
  store: LogStore,
  number: number,
): Promise<Entry | { readonly error: Error }> {
  const found = await tryEntry(store, number);
  return (
    found ?? {
      error: coreError(
        "CATALOGUE_CORRUPT",
        `${entryKey(number)}: missing below the end of the log`,
      ),
    }
  );
}

async function tryEntry(store: LogStore, number: number): Promise<Found> {
  try {
    return await store.entry(number);
  } catch (error) {
    if (isKarstError(error, "corrupt")) return { error };
    throw error;
  }
}

function unlinked(entry: Entry): Error {
  return coreError(
    "CATALOGUE_CORRUPT",
    `${entryKey(entry.number)}: it does not follow the entry before it`,
  );
}
