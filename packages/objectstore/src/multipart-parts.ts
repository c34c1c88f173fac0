import { objectStoreError } from "./errors.ts";
import { MULTIPART_PARTS_MAX } from "./limits.ts";

/**
 * The parts of an upload under way.
 *
 * Invariants: a number is in `#parts` once its part is stored, in `#adding` while it is being stored, never in both; nothing
 * is added while completing or after the end.
 */
export class MultipartParts<Part> {
  readonly #parts: Map<number, Part> = new Map();
  readonly #adding: Set<number> = new Set();
  #state: "open" | "completing" | "ended" = "open";

  /** Stores a part; one whose storing failed may be added again. */
  async add(number: number, store: () => Promise<Part>): Promise<void> {
    this.#checkOpen();
    if (!Number.isInteger(number) || number < 1 || number > MULTIPART_PARTS_MAX) {
      throw new TypeError(`part number ${number} is not in 1..${MULTIPART_PARTS_MAX}`);
    }
    if (this.#parts.has(number) || this.#adding.has(number))
      throw new TypeError(`part ${number} was already given`);
    this.#adding.add(number);
    try {
      this.#parts.set(number, await store());
    } finally {
      this.#adding.delete(number);
    }
  }

  /** Publishes the parts in order of their numbers and ends the upload; after a failure it may be tried again. */
  async complete(publish: (parts: readonly Part[]) => Promise<void>): Promise<void> {
    this.#checkOpen();
    if (this.#parts.size === 0)
      throw new TypeError("an upload is completed with at least one part");
    if (this.#adding.size > 0)
      throw new TypeError("an upload is completed when all of its parts have been stored");
    this.#state = "completing";
    try {
      await publish(
        [...this.#parts.entries()].toSorted(([a], [b]) => a - b).map(([, part]) => part),
      );
    } catch (error) {
      this.#state = "open";
      throw error;
    }
    this.#state = "ended";
    this.#parts.clear();
  }

  /** Ends the upload without publishing; a second time does nothing. @returns the parts that were stored. */
  end(): readonly Part[] {
    if (this.#state === "completing" || this.#adding.size > 0)
      throw new TypeError("an upload is aborted when its other calls have settled");
    this.#state = "ended";
    const parts = [...this.#parts.values()];
    this.#parts.clear();
    return parts;
  }

  #checkOpen(): void {
    if (this.#state === "ended")
      throw objectStoreError("UPLOAD_ENDED", "the upload was completed or aborted");
    if (this.#state === "completing") throw new TypeError("the upload is being completed");
  }
}
