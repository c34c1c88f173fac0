import type { CommittedOffset } from "./group-records.ts";

export interface PartitionOffset {
  readonly topicId: string;
  readonly partition: number;
  readonly committed: CommittedOffset;
}

/** What one group has committed, by topic and partition. Invariant: no topic without partitions. */
export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>();

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  get(topicId: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topicId)?.get(partition);
  }

  set({ topicId, partition, committed }: PartitionOffset): void {
    const partitions = this.#topics.get(topicId) ?? new Map<number, CommittedOffset>();
    this.#topics.set(topicId, partitions);
    partitions.set(partition, committed);
  }

  delete(topicId: string, partition: number): void {
    const partitions = this.#topics.get(topicId);
    partitions?.delete(partition);
    if (partitions?.size === 0) this.#topics.delete(topicId);
  }

  *entries(): Iterable<PartitionOffset> {
    for (const [topicId, partitions] of this.#topics) {
      for (const [partition, committed] of partitions) yield { topicId, partition, committed };
    }
  }
}
