import { bytesOfOffset, OFFSETS_TOPIC_BYTES } from "./group-bytes.ts";
import type { CommittedOffset } from "./group-records.ts";

export interface PartitionOffset {
  readonly topicId: string;
  readonly partition: number;
  readonly committed: CommittedOffset;
}

/** What one group has committed, by topic and partition. Invariants: no topic without partitions; `bytes` is what they take in memory. */
export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  get(topicId: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topicId)?.get(partition);
  }

  /** How many bytes setting these adds at most. */
  growth(offsets: readonly PartitionOffset[]): number {
    let growth = 0;
    for (const { topicId, partition, committed } of offsets) {
      const partitions = this.#topics.get(topicId);
      if (partitions === undefined) growth += OFFSETS_TOPIC_BYTES;
      const known = partitions?.get(partition);
      const before = known === undefined ? 0 : bytesOfOffset(known);
      growth += Math.max(0, bytesOfOffset(committed) - before);
    }
    return growth;
  }

  set({ topicId, partition, committed }: PartitionOffset): void {
    let partitions = this.#topics.get(topicId);
    if (partitions === undefined) {
      partitions = new Map<number, CommittedOffset>();
      this.#topics.set(topicId, partitions);
      this.#bytes += OFFSETS_TOPIC_BYTES;
    }
    const known = partitions.get(partition);
    if (known !== undefined) this.#bytes -= bytesOfOffset(known);
    partitions.set(partition, committed);
    this.#bytes += bytesOfOffset(committed);
  }

  delete(topicId: string, partition: number): void {
    const partitions = this.#topics.get(topicId);
    const known = partitions?.get(partition);
    if (partitions === undefined || known === undefined) return;
    partitions.delete(partition);
    this.#bytes -= bytesOfOffset(known);
    if (partitions.size > 0) return;
    this.#topics.delete(topicId);
    this.#bytes -= OFFSETS_TOPIC_BYTES;
  }

  clear(): void {
    this.#topics.clear();
    this.#bytes = 0;
  }

  *entries(): Iterable<PartitionOffset> {
    for (const [topicId, partitions] of this.#topics) {
      for (const [partition, committed] of partitions) yield { topicId, partition, committed };
    }
  }
}
