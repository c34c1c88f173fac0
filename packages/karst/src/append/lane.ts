import { appendConditionally, appendTogether, type AppendTarget } from "./partition-appender.ts";
import type { Submission } from "./submission.ts";

/**
 * Appends to one open partition. Submissions of one turn share batches: a batch per record would cost sixty bytes and a frame each.
 *
 * Invariants: the log gets submissions in the order of `push`; `#waiting` holds at most `target.batchBytesMax` bytes, or one submission;
 * while it is not empty, a flush is due in this turn.
 */
export class Lane {
  readonly target: AppendTarget;
  #waiting: Submission[] = [];
  #waitingBytes = 0;

  constructor(target: AppendTarget) {
    this.target = target;
  }

  push(submission: Submission): void {
    if (submission.ifOffset !== undefined) {
      this.#flush();
      this.#offer([submission], () => appendConditionally(this.target, submission));
      return;
    }
    if (this.#waitingBytes + submission.bytes > this.target.batchBytesMax) this.#flush();
    if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
    this.#waiting.push(submission);
    this.#waitingBytes += submission.bytes;
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    const submissions = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#offer(submissions, () => appendTogether(this.target, submissions));
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
