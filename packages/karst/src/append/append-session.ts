import { encodeRecords } from "@karst/records";
import { isKarstError, sleep } from "@karst/runtime";
import type { RecordInput } from "../api/record.ts";
import type { AppendSession, AppendSessionOptions, AppendTicket } from "../api/session.ts";
import type { AppendOptions } from "../api/append.ts";
import type { EngineContext } from "../engine-context.ts";
import { karstError } from "../errors.ts";
import {
  SESSION_BYTES_MAX,
  SESSION_RETRY_MS_MAX,
  SESSION_RETRY_MS_MIN,
  SESSION_ROUND_BYTES,
  SESSION_ROUNDS_MAX,
} from "../limits.ts";
import { appendBatch, appendConditionally, type AppendTarget } from "./partition-appender.ts";
import type { Submission } from "./submission.ts";
import type { TopicWriter } from "./topic-writer.ts";

type SessionState =
  | { readonly tag: "open" }
  | { readonly tag: "closed" }
  | { readonly tag: "failed"; readonly cause: Error };

/** A submission that waits for room. */
interface Visitor {
  readonly submission: Submission;
  readonly admit: () => void;
  readonly refuse: (error: Error) => void;
}

/**
 * Appends in a row.
 *
 * Everything queued goes out in rounds, a batch or more per partition. While a few rounds are not durable yet the next one waits for
 * one of them, or for enough bytes: batches grow as durability gets slower, and nothing waits where nothing is under way.
 *
 * Invariants: `#pendingBytes` counts what was accepted and has not settled, and exceeds `#bytesMax` only for one submission alone.
 * `#queue` is what was accepted and not taken, in order; the log gets those of each partition in this order, and none before one
 * that it refused. After the first failure nothing is offered any more.
 */
export class TopicAppendSession<ValueInput, KeyInput> implements AppendSession<
  ValueInput,
  KeyInput
> {
  readonly #context: EngineContext;
  readonly #writer: TopicWriter<ValueInput, KeyInput>;
  readonly #bytesMax: number;
  readonly #aborter = new AbortController();
  #state: SessionState = { tag: "open" };
  #queue: Submission[] = [];
  #queueBytes = 0;
  /** Rounds of which something has not settled. */
  #rounds = 0;
  readonly #pending = new Set<Submission>();
  #pendingBytes = 0;
  #visitors: Visitor[] = [];
  #driving = false;
  #closed: Promise<void> | undefined;
  #detach: () => void = () => undefined;

  constructor(
    context: EngineContext,
    writer: TopicWriter<ValueInput, KeyInput>,
    options: AppendSessionOptions,
  ) {
    const { bytesMax = SESSION_BYTES_MAX, signal } = options;
    if (!(bytesMax > 0)) throw new TypeError(`bytesMax ${bytesMax} is not above 0`);
    this.#context = context;
    this.#writer = writer;
    this.#bytesMax = bytesMax;
    if (signal === undefined) return;
    const abort = (): void => this.#fail(signal.reason as Error);
    if (signal.aborted) abort();
    else {
      signal.addEventListener("abort", abort, { once: true });
      this.#detach = () => signal.removeEventListener("abort", abort);
    }
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  async submit(
    records: RecordInput<ValueInput, KeyInput> | readonly RecordInput<ValueInput, KeyInput>[],
    options: Pick<AppendOptions, "partition" | "ifOffset"> = {},
  ): Promise<AppendTicket> {
    this.#check();
    const { partition, ifOffset } = options;
    const submission = this.#writer.encode(records, { partition, ifOffset });
    submission.own();
    // Nobody has to ask for the ticket's answer.
    submission.settled.catch(() => undefined);
    if (this.#visitors.length === 0 && this.#fits(submission)) this.#accept(submission);
    else {
      await new Promise<void>((resolve, reject) => {
        this.#visitors.push({ submission, admit: resolve, refuse: reject });
      });
    }
    return {
      bytes: submission.bytes,
      count: submission.count,
      ack: () => submission.settled,
    };
  }

  async flush(): Promise<void> {
    const waiting = this.#visitors.map(({ submission }) => submission);
    await Promise.allSettled([...this.#pending, ...waiting].map(({ settled }) => settled));
    if (this.#state.tag === "failed") throw failed(this.#state.cause);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#state.tag === "open") this.#state = { tag: "closed" };
    try {
      await this.flush();
    } finally {
      this.#detach();
    }
  }

  #check(): void {
    if (this.#state.tag === "failed") throw failed(this.#state.cause);
    if (this.#state.tag === "closed") throw karstError("SESSION_CLOSED", "the session is closed");
  }

  #fits(submission: Submission): boolean {
    return this.#pending.size === 0 || this.#pendingBytes + submission.bytes <= this.#bytesMax;
  }

  #accept(submission: Submission): void {
    this.#pending.add(submission);
    this.#pendingBytes += submission.bytes;
    submission.watch(this.#context.begin());
    submission.watch((error) => {
      if (error !== undefined) this.#fail(error);
      this.#release(submission);
    });
    this.#queue.push(submission);
    this.#queueBytes += submission.bytes;
    this.#drive();
  }

  #release(submission: Submission): void {
    this.#pending.delete(submission);
    this.#pendingBytes -= submission.bytes;
    for (let next = this.#visitors[0]; next !== undefined; next = this.#visitors[0]) {
      if (!this.#fits(next.submission)) return;
      this.#visitors.shift();
      this.#accept(next.submission);
      next.admit();
    }
  }

  #fail(cause: Error): void {
    if (this.#state.tag === "failed") return;
    this.#state = { tag: "failed", cause };
    this.#detach();
    const visitors = this.#visitors;
    const queue = this.#queue;
    this.#visitors = [];
    this.#queue = [];
    this.#queueBytes = 0;
    for (const { submission, refuse } of visitors) {
      submission.reject(failed(cause));
      refuse(failed(cause));
    }
    // The log may have some of them already.
    for (const submission of queue) {
      if (submission.state === "waiting") submission.reject(failed(cause));
    }
    this.#aborter.abort(cause);
  }

  /** Starts sending what is queued, at the end of this turn, unless that is under way or has to wait. */
  #drive(): void {
    if (this.#driving || !this.#isDue()) return;
    this.#driving = true;
    const done = this.#context.begin();
    queueMicrotask(() => {
      this.#sendRounds().then(done, done);
    });
  }

  #isDue(): boolean {
    return (
      this.#queue.length > 0 &&
      (this.#rounds < SESSION_ROUNDS_MAX || this.#queueBytes >= SESSION_ROUND_BYTES)
    );
  }

  async #sendRounds(): Promise<void> {
    let retryMs = SESSION_RETRY_MS_MIN;
    try {
      while (this.#isDue()) {
        for (const submission of this.#queue) {
          if (this.#writer.open(submission) === undefined) await this.#make(submission);
        }
        if (this.#sendRound()) {
          retryMs = SESSION_RETRY_MS_MIN;
          continue;
        }
        await sleep(this.#context.runtime.clock, retryMs, this.#aborter.signal);
        retryMs = Math.min(retryMs * 2, SESSION_RETRY_MS_MAX);
      }
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.#driving = false;
    }
  }

  /** Makes the topic or opens the partition of a submission. Trying again later is for the caller, as for a refusal. */
  async #make(submission: Submission): Promise<void> {
    try {
      await this.#writer.openOrMake(submission);
    } catch (error) {
      if (this.#retriable(error)) return;
      submission.reject(error as Error);
      throw error;
    }
  }

  /** Offers everything queued. @returns whether all of it was taken; what was not is queued still. */
  #sendRound(): boolean {
    const runs = new Map<AppendTarget, Submission[]>();
    for (const submission of this.#queue) {
      const lane = this.#writer.open(submission);
      if (lane === undefined) continue;
      const run = runs.get(lane.target);
      if (run === undefined) runs.set(lane.target, [submission]);
      else run.push(submission);
    }
    const before = this.#queue;
    try {
      for (const [target, run] of runs) this.#sendRun(target, run);
    } finally {
      this.#queue = this.#queue.filter((submission) => submission.state === "waiting");
      this.#queueBytes = this.#queue.reduce((bytes, submission) => bytes + submission.bytes, 0);
    }
    this.#countRound(before.filter((submission) => submission.state === "taken"));
    return this.#queue.length === 0;
  }

  /** Offers the submissions of one partition until the log refuses one for now. */
  #sendRun(target: AppendTarget, run: readonly Submission[]): void {
    try {
      for (const batch of batchesOf(run, target.sharedBytesMax)) sendBatch(target, batch);
    } catch (error) {
      if (this.#retriable(error)) return;
      // What was refused is the first that still waits.
      run.find((submission) => submission.state === "waiting")?.reject(error as Error);
      throw error;
    }
  }

  /** Whether something that was certainly not done is worth another try. */
  #retriable(error: unknown): boolean {
    return isKarstError(error, "unavailable") && !this.#context.ended;
  }

  #countRound(taken: readonly Submission[]): void {
    let left = taken.length;
    if (left === 0) return;
    this.#rounds += 1;
    for (const submission of taken) {
      submission.watch(() => {
        left -= 1;
        if (left > 0) return;
        this.#rounds -= 1;
        this.#drive();
      });
    }
  }
}

/** Submissions in a row that may share a batch; a conditional one goes alone. */
function* batchesOf(
  run: readonly Submission[],
  bytesMax: number,
): Generator<readonly Submission[]> {
  let batch: Submission[] = [];
  let bytes = 0;
  for (const submission of run) {
    const alone = submission.ifOffset !== undefined || batch[0]?.ifOffset !== undefined;
    if (batch.length > 0 && (alone || bytes + submission.bytes > bytesMax)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(submission);
    bytes += submission.bytes;
  }
  if (batch.length > 0) yield batch;
}

/** One that is invalid is found by offering those of its batch one by one, up to it. */
function sendBatch(target: AppendTarget, batch: readonly Submission[]): void {
  const first = batch[0];
  if (first?.ifOffset !== undefined) {
    appendConditionally(target, first);
    return;
  }
  try {
    offer(target, batch);
  } catch (error) {
    if (!isKarstError(error, "invalid") || batch.length === 1) throw error;
    for (const submission of batch) offer(target, [submission]);
  }
}

function offer(target: AppendTarget, batch: readonly Submission[]): void {
  const records = batch.flatMap((submission) => submission.records);
  appendBatch(target, encodeRecords(records, target.encoding), batch);
}

function failed(cause: Error): Error {
  return karstError("SESSION_FAILED", `the session has failed: ${cause.message}`, cause);
}
