import type { RecordInput as BatchRecord } from "@karst/records";
import type { Appended, AppendOptions } from "../api/append.ts";
import { karstError } from "../errors.ts";
import { ownedRecord, recordBytes } from "./encode-record.ts";

/** What a waiting submission is: `waiting` here, `taken` by the log and not yet durable, or `settled`. */
export type SubmissionState = "waiting" | "taken" | "settled";

type Watcher = (error: Error | undefined) => void;

const NOTHING: readonly BatchRecord[] = [];

/**
 * One call of `append`: records that go into one batch of one partition, together or not at all.
 *
 * Invariants: settles exactly once; is taken at most once. What `records` borrows from the caller is used before the call returns, or
 * owned by then.
 */
export class Submission {
  /** How many. */
  readonly count: number;
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
  #records: readonly BatchRecord[];
  #state: SubmissionState = "waiting";
  #resolve!: (appended: Appended) => void;
  #reject!: (error: Error) => void;
  #error: Error | undefined;
  #watcher: Watcher | undefined;

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
    this.#records = records;
    this.count = records.length;
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

  /** None once the log has them. */
  get records(): readonly BatchRecord[] {
    return this.#records;
  }

  /** Copies what is borrowed: for a submission that has to wait. */
  own(): void {
    this.#records = this.#records.map(ownedRecord);
  }

  /** From now on the log may have it. */
  take(): void {
    this.#records = NOTHING;
    if (this.#state === "waiting") this.#state = "taken";
  }

  /** Calls back, once, as soon as it settles: cheaper than a promise each, and before whoever awaits it goes on. */
  watch(watcher: Watcher): void {
    if (this.#state === "settled") {
      watcher(this.#error);
      return;
    }
    const before = this.#watcher;
    this.#watcher =
      before === undefined
        ? watcher
        : (error) => {
            before(error);
            watcher(error);
          };
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
    const watcher = this.#watcher;
    this.#watcher = undefined;
    watcher?.(error);
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
