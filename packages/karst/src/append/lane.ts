import type { BatchBuilder } from "@karst/records";
import type { BatchBuilders } from "./batch-builders.ts";
import { appendAlone, appendTogether, type AppendTarget } from "./partition-appender.ts";
import type { Submission } from "./submission.ts";

/** Submissions and the batch that they share so far. */
interface OpenBatch {
  readonly builder: BatchBuilder;
  readonly submissions: Submission[];
}

/**
 * Appends to one open partition. Submissions of one turn share batches: a batch per record would cost sixty bytes and a frame each.
 * A batch that is full goes to the log at once, and is on its way to the disk while the rest of the turn goes on.
 *
 * Invariants: the log gets submissions in the order of `push`; the records of each are encoded, or owned by the log, when `push`
 * returns; while a batch is open, a flush is due in this turn.
 */
export class Lane {
  readonly target: AppendTarget;
  readonly #builders: BatchBuilders;
  #open: OpenBatch | undefined;

  constructor(target: AppendTarget, builders: BatchBuilders) {
    this.target = target;
    this.#builders = builders;
  }

  /** Whether it still leads to a partition of that topic. */
  isOpen(topicId: string): boolean {
    const { log } = this.target;
    return log.topicId === topicId && !log.closed;
  }

  /** @throws KarstError `INVALID_RECORD` (`invalid`): nothing was taken. */
  push(submission: Submission): void {
    if (submission.state !== "waiting" || this.#join(submission)) return;
    this.#flush();
    if (this.#join(submission)) return;
    this.#offer([submission], () => appendAlone(this.target, submission));
  }

  /** @returns false where the submission cannot share the batch as it stands. */
  #join(submission: Submission): boolean {
    const { sharedBytesMax } = this.target;
    if (submission.ifOffset !== undefined || submission.bytes > sharedBytesMax) return false;
    const open = this.#open ?? this.#begin();
    if (open.builder.bytes + submission.bytes > sharedBytesMax) return false;
    if (!open.builder.tryAppend(submission.records)) return false;
    open.submissions.push(submission);
    return true;
  }

  #begin(): OpenBatch {
    queueMicrotask(() => this.#flush());
    this.#open = { builder: this.#builders.take(), submissions: [] };
    return this.#open;
  }

  #flush(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { builder, submissions } = open;
    if (submissions.length > 0) {
      this.#offer(submissions, () =>
        appendTogether(this.target, builder.build(this.target.encoding), submissions),
      );
    }
    this.#builders.giveBack(builder);
  }

  /** Runs `append`; what it throws is the answer of every submission that the log did not take. */
  #offer(submissions: readonly Submission[], append: () => void): void {
    try {
      append();
    } catch (error) {
      for (const submission of submissions) {
        if (submission.state === "waiting") submission.reject(error as Error);
      }
    }
  }
}
