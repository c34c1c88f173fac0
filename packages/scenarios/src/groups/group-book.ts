/** A commit of one partition: it was about to be sent, or its answer is there. */
interface Commit {
  readonly partition: number;
  readonly next: number;
  readonly atUs: number;
}

/** The first record of a partition since a member began to read it anew. */
interface Beginning {
  readonly name: string;
  readonly partition: number;
  readonly offset: number;
  /** When it was assigned: it has asked for the committed offset after that, */
  readonly assignedUs: number;
  /** and before it told of the record. */
  readonly toldUs: number;
}

/**
 * What the members of a group were given and committed, as they saw it themselves; and what of it cannot be. Members are processes,
 * heard in any order: what was before what is told by the clock that they share.
 */
export class GroupBook {
  /** Next offset of each partition: the greatest commit that was acknowledged, */
  readonly acknowledged: Map<number, number> = new Map();
  /** and the greatest that was asked for. */
  readonly attempted: Map<number, number> = new Map();
  /** Values that somebody was given, by place: `partition@offset`. */
  readonly seen: Map<string, string> = new Map();
  /**
   * Records that came more than once: read again after a commit that did not happen, or because the client went back by itself, as
   * @platformatic/kafka 1.35 does after a rebalance without asking for the offset again.
   */
  repeated = 0;
  readonly #commits: Commit[] = [];
  readonly #attempts: Commit[] = [];
  readonly #beginnings: Beginning[] = [];
  readonly #violations: string[] = [];

  /** One member from its start to its end. */
  begin(name: string, atUs: number): MemberLife {
    return new MemberLife(name, this, atUs);
  }

  /** Of all that was heard. A reading begins at or above what was acknowledged before it, and not above what anybody tried to commit. */
  get violations(): readonly string[] {
    const wrong = this.#beginnings.flatMap((beginning) => {
      const { name, partition, offset, assignedUs, toldUs } = beginning;
      const least = greatest(this.#commits, partition, assignedUs);
      const most = greatest(this.#attempts, partition, toldUs);
      return offset >= least && offset <= most
        ? []
        : [
            `${name} began partition ${partition} at ${offset}: ${least} was acknowledged, ${most} asked for`,
          ];
    });
    return [...this.#violations, ...wrong];
  }

  // What its lives tell.

  began(beginning: Beginning): void {
    this.#beginnings.push(beginning);
  }

  given(partition: number, offset: number, value: string): void {
    const place = `${partition}@${offset}`;
    const before = this.seen.get(place);
    if (before !== undefined) this.repeated += 1;
    if (before !== undefined && before !== value)
      this.violated(`${place} is another record now: ${value} after ${before}`);
    this.seen.set(place, value);
  }

  committing(commit: Commit): void {
    this.#attempts.push(commit);
    raise(this.attempted, commit);
  }

  committed(commit: Commit): void {
    this.#commits.push(commit);
    raise(this.acknowledged, commit);
  }

  violated(how: string): void {
    this.#violations.push(how);
  }
}

/**
 * One member. The first record of each partition is a beginning; once it is told of assignments, so is the first since the newest, and each
 * later one has the next offset.
 */
export class MemberLife {
  readonly name: string;
  readonly #book: GroupBook;
  #assignedUs: number;
  #isAssigned = false;
  /** Next offset of each partition that it has begun. */
  #next = new Map<number, number>();
  delivered = 0;

  constructor(name: string, book: GroupBook, beganUs: number) {
    this.name = name;
    this.#book = book;
    this.#assignedUs = beganUs;
  }

  /** It begins to read all that it has anew. */
  assigned(atUs: number): void {
    this.#isAssigned = true;
    this.#assignedUs = atUs;
    this.#next = new Map();
  }

  deliver(partition: number, offset: number, value: string, atUs: number): void {
    this.delivered += 1;
    const next = this.#next.get(partition);
    this.#next.set(partition, offset + 1);
    if (next === undefined) {
      const { name } = this;
      this.#book.began({ name, partition, offset, assignedUs: this.#assignedUs, toldUs: atUs });
    } else if (this.#isAssigned && offset !== next) {
      this.#book.violated(`${this.name} was given ${partition}@${offset} where ${next} is next`);
    }
    this.#book.given(partition, offset, value);
  }

  committing(partition: number, next: number, atUs: number): void {
    this.#book.committing({ partition, next, atUs });
  }

  committed(partition: number, next: number, atUs: number): void {
    this.#book.committed({ partition, next, atUs });
  }
}

/** Next offset of the greatest commit of a partition until then. */
function greatest(commits: readonly Commit[], partition: number, untilUs: number): number {
  return commits
    .filter((commit) => commit.partition === partition && commit.atUs < untilUs)
    .reduce((most, { next }) => Math.max(most, next), 0);
}

function raise(offsets: Map<number, number>, { partition, next }: Commit): void {
  offsets.set(partition, Math.max(offsets.get(partition) ?? 0, next));
}
