import type { AbortedTransaction } from "@karst/core";
import {
  CONTROL_BIT,
  readAttributes,
  readBaseOffset,
  readProducerId,
  TRANSACTIONAL_BIT,
} from "@karst/records";
import { viewOf } from "@karst/runtime";

/**
 * Which batches of a read are for readers: never control batches, and none of an aborted transaction.
 *
 * An aborted transaction of a producer begins at its first offset and ends with that producer's next marker.
 * Source: org.apache.kafka.clients.consumer.internals.CompletedFetch (KIP-98).
 */
export class CommittedFilter {
  readonly #upcoming: AbortedTransaction[];
  readonly #aborting = new Set<number>();

  /** @param aborted transactions that reach into what is filtered, in any order. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#upcoming = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Asked for every batch, in order. */
  accepts(batch: Uint8Array): boolean {
    const view = viewOf(batch);
    const attributes = readAttributes(view);
    const producerId = readProducerId(view);
    // Also before a marker: it may end a transaction of which nothing else is read.
    this.#begin(readBaseOffset(view));
    if ((attributes & CONTROL_BIT) !== 0) {
      this.#aborting.delete(producerId);
      return false;
    }
    return (attributes & TRANSACTIONAL_BIT) === 0 || !this.#aborting.has(producerId);
  }

  #begin(offset: number): void {
    for (let next = this.#upcoming[0]; next !== undefined; next = this.#upcoming[0]) {
      if (next.firstOffset > offset) return;
      this.#aborting.add(next.producerId);
      this.#upcoming.shift();
    }
  }
}
