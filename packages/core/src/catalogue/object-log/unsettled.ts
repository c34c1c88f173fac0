import type { Image } from "../image/image.ts";

/** `open`: its slot is not decided, or it never went anywhere. `lost`: the answer was in entries that are gone. */
export type Settlement =
  | { readonly tag: "happened"; readonly revision: number }
  | { readonly tag: "open" }
  | { readonly tag: "lost" };

/**
 * Transactions whose last attempt ended unknown, with the slot of that attempt. It can happen in that slot only; once the image
 * has passed the slot, the table of recent transactions knows, unless it no longer reaches back so far.
 */
export class Unsettled {
  readonly #max: number;
  readonly #slots: Map<string, number> = new Map();

  constructor(max: number) {
    this.#max = max;
  }

  has(id: string): boolean {
    return this.#slots.has(id);
  }

  /** Beyond the limit the oldest are forgotten: committing one of those again is then a new transaction. */
  add(ids: Iterable<string>, slot: number): void {
    for (const id of ids) {
      this.#slots.delete(id);
      this.#slots.set(id, slot);
    }
    for (const id of this.#slots.keys()) {
      if (this.#slots.size <= this.#max) return;
      this.#slots.delete(id);
    }
  }

  /** Forgets what the image can answer by itself now. */
  settle(image: Pick<Image, "revision" | "recent">): void {
    for (const [id, slot] of this.#slots) {
      if (slot <= image.revision && slot >= image.recent.completeFrom) this.#slots.delete(id);
    }
  }

  of(image: Pick<Image, "revision" | "recent">, id: string): Settlement {
    const revision = image.recent.revisionOf(id);
    if (revision !== undefined) return { tag: "happened", revision };
    const slot = this.#slots.get(id);
    const gone = slot !== undefined && slot <= image.revision && slot < image.recent.completeFrom;
    return gone ? { tag: "lost" } : { tag: "open" };
  }
}
