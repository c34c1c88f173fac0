import type { RecordInput as BatchRecord } from "@karst/records";
import type { Appended, AppendOptions } from "../api/topic.ts";
import { karstError } from "../errors.ts";
import { recordBytes } from "./encode-record.ts";

/** What a waiting submission is: `waiting` here, `taken` by the log and not yet durable, or `settled`. */
export type SubmissionState = "waiting" | "taken" | "settled";

/**
 * One call of `append`: records that go into one batch of one partition, together or not at all.
 *
 * Invariants: settles exactly once; is taken at most once.
 */
export class Submission {
  readonly records: readonly BatchRecord[];
  /** At least what the records take in a batch. */
  readonly bytes: number;
  /** The largest. */
  readonly timestampMs: number;
  /** Asked for by the caller. */
  readonly partition: number | undefined;
  readonly ifOffset: number | undefined;
  readonly settled: Promise<Appended>;
  /** Chosen once, for as long as the topic is the same. Written by the topic's writer. */
  choice: { readonly topicId: string; readonly partition: number } | undefined;
  #state: SubmissionState = "waiting";
  #resolve!: (appended: Appended) => void;
  #reject!: (error: Error) => void;
  #error: Error | undefined;
  #watchers: ((error: Error | undefined) => void)[] | undefined;

  /** @throws KarstError `INVALID_APPEND` (`invalid`). */
  constructor(records: readonly BatchRecord[], options: AppendOptions) {
    if (records.length === 0) throw karstError("INVALID_APPEND", "there are no records to append");
    checkInteger(options.partition, "partition");
    checkInteger(options.ifOffset, "ifOffset");
    let bytes = 0;
    let timestampMs = -1;
    for (const record of records) {
      bytes += recordBytes(record);
      if (record.timestampMs > timestampMs) timestampMs = record.timestampMs;
    }
    this.records = records;
    this.bytes = bytes;
    this.timestampMs = timestampMs;
    this.partition = options.partition;
    this.ifOffset = options.ifOffset;
    this.settled = new Promise<Appended>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (options.signal !== undefined) this.#abortBy(options.signal);
  }

  get state(): SubmissionState {
    return this.#state;
  }

  /** From now on the log may have it. */
  take(): void {
    if (this.#state === "waiting") this.#state = "taken";
  }

  /** Calls back, once, as soon as it settles: cheaper than a promise each, and before whoever awaits it goes on. */
  watch(watcher: (error: Error | undefined) => void): void {
    if (this.#state === "settled") {
      watcher(this.#error);
      return;
    }
    this.#watchers ??= [];
    this.#watchers.push(watcher);
  }

  /** Ignored once settled, as an aborted submission is. */
  resolve(appended: Appended): void {
    if (this.#state === "settled") return;
    this.#resolve(appended);
    this.#settle(undefined);
  }

  reject(error: Error): void {
    if (this.#state === "settled") return;
    this.#reject(error);
    this.#settle(error);
  }

  #settle(error: Error | undefined): void {
    this.#state = "settled";
    this.#error = error;
    const watchers = this.#watchers ?? [];
    this.#watchers = undefined;
    for (const watcher of watchers) watcher(error);
  }

  #abortBy(signal: AbortSignal): void {
    const abort = (): void => this.reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    this.watch(() => signal.removeEventListener("abort", abort));
  }
}

function checkInteger(value: number | undefined, name: string): void {
  if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
    throw karstError(
      "INVALID_APPEND",
      `${name} ${String(value)} is not a whole number of at least 0`,
    );
  }
}
