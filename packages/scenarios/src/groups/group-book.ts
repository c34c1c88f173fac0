/** What the members of a group were given and committed, as they saw it themselves; and what of it cannot be. */
export class GroupBook {
  /** Next offset of each partition: the greatest commit that was acknowledged, */
  readonly acknowledged: Map<number, number> = new Map();
  /** and the greatest that was asked for. */
  readonly attempted: Map<number, number> = new Map();
  readonly seen: Set<string> = new Set();
  readonly violations: string[] = [];
  /**
   * Records that came more than once: read again after a commit that did not happen, or because the client went back by itself, as
   * @platformatic/kafka 1.35 does after a rebalance without asking for the offset again.
   */
  repeated = 0;

  /** One member from its start to its end. */
  begin(name: string): MemberLife {
    return new MemberLife(name, this);
  }
}

/**
 * One member. The first record of each partition says where its reading began: never below what was acknowledged before, never
 * above what anybody has tried to commit.
 */
export class MemberLife {
  readonly name: string;
  readonly #book: GroupBook;
  #acknowledgedBefore: ReadonlyMap<number, number>;
  #begun = new Set<number>();
  delivered = 0;
  readonly partitions: Set<number> = new Set();

  constructor(name: string, book: GroupBook) {
    this.name = name;
    this.#book = book;
    this.#acknowledgedBefore = new Map(book.acknowledged);
  }

  /** It begins to read these anew. */
  assigned(partitions: readonly number[]): void {
    this.#acknowledgedBefore = new Map(this.#book.acknowledged);
    this.#begun = new Set();
    this.partitions.clear();
    for (const partition of partitions) this.partitions.add(partition);
  }

  deliver(partition: number, offset: number, value: string): void {
    const { acknowledged, attempted, seen, violations } = this.#book;
    this.delivered += 1;
    if (!this.#begun.has(partition)) {
      this.#begun.add(partition);
      const least = this.#acknowledgedBefore.get(partition) ?? 0;
      const most = attempted.get(partition) ?? 0;
      if (offset < least || offset > most)
        violations.push(
          `${this.name} began partition ${partition} at ${offset}: ${least} was acknowledged, ${most} asked for (now ${acknowledged.get(partition)})`,
        );
    }
    if (seen.has(value)) this.#book.repeated += 1;
    seen.add(value);
  }

  committing(partition: number, next: number): void {
    raise(this.#book.attempted, partition, next);
  }

  committed(partition: number, next: number): void {
    raise(this.#book.acknowledged, partition, next);
  }
}

function raise(offsets: Map<number, number>, partition: number, next: number): void {
  offsets.set(partition, Math.max(offsets.get(partition) ?? 0, next));
}
