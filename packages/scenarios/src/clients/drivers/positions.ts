import type { Place } from "../events.ts";

/** Where a member stands: the partitions that it has, and the offset after the last record of each that it has told of. */
export class Positions {
  readonly #held = new Map<string, Place>();
  readonly #next = new Map<string, { readonly place: Place; readonly offset: number }>();

  get held(): readonly Place[] {
    return [...this.#held.values()];
  }

  assign(places: readonly Place[]): void {
    for (const place of places) this.#held.set(place.join("/"), place);
  }

  /** Forgets where it stood in them. */
  revoke(places: readonly Place[]): void {
    for (const place of places) {
      this.#held.delete(place.join("/"));
      this.#next.delete(place.join("/"));
    }
  }

  told(place: Place, offset: number): void {
    this.#next.set(place.join("/"), { place, offset: offset + 1 });
  }

  /** What a commit says: only where something has been read since the partition was assigned. */
  toCommit(): readonly {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  }[] {
    return [...this.#next.values()].map(({ place: [topic, partition], offset }) => ({
      topic,
      partition,
      offset,
    }));
  }
}
