import { STALE_LISTING_ENTRIES_MAX, STALE_LISTINGS_MAX } from "../limits.ts";
import type { ObjectInfo } from "../object-store.ts";

/**
 * The last complete listing of each prefix, to be shown again when it no longer holds.
 *
 * Invariant: at most `STALE_LISTINGS_MAX` listings of `STALE_LISTING_ENTRIES_MAX` entries are kept, the latest ones.
 */
export class StaleListings {
  readonly #listings: Map<string, readonly ObjectInfo[]> = new Map();

  /** The entries of `listing`, kept if they were read to the end and from the beginning. */
  async *recorded(
    prefix: string,
    startAfter: string,
    listing: AsyncIterable<ObjectInfo>,
  ): AsyncGenerator<ObjectInfo, void, undefined> {
    const entries: ObjectInfo[] = [];
    for await (const info of listing) {
      if (entries.length <= STALE_LISTING_ENTRIES_MAX) entries.push(info);
      yield info;
    }
    if (startAfter !== "" || entries.length > STALE_LISTING_ENTRIES_MAX) return;
    this.#listings.delete(prefix);
    this.#listings.set(prefix, entries);
    const oldest = this.#listings.keys().next();
    if (this.#listings.size > STALE_LISTINGS_MAX && oldest.done !== true)
      this.#listings.delete(oldest.value);
  }

  /** The kept listing, after `startAfter`. */
  earlier(prefix: string, startAfter: string): readonly ObjectInfo[] | undefined {
    return this.#listings.get(prefix)?.filter((info) => info.key > startAfter);
  }
}
