import { isKarstError, type Logger } from "@karst/runtime";
import { coreError } from "../../errors.ts";
import type {
  Catalogue,
  CatalogueChange,
  CatalogueRow,
  CommitOutcome,
  Revision,
  Transaction,
} from "../catalogue.ts";
import type { CatalogueLimits } from "../limits.ts";
import { PackedReader } from "../packed/reader.ts";
import { rootRow } from "../rows/root-row.ts";
import type { CatalogueMetrics } from "./catalogue-metrics.ts";
import { planCommits, type QueuedCommit } from "./commit-plan.ts";
import type { CreateOutcome, LogTail } from "./log-tail.ts";
import type { Snapshotter } from "./snapshotter.ts";
import { checkTransaction, encodeTransaction, readTransaction } from "./transaction-codec.ts";
import { Unsettled } from "./unsettled.ts";

interface Commit extends QueuedCommit {
  /** Entries that it was part of and that lost their slot. */
  attempts: number;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Refresh {
  readonly queuedAt: number;
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: unknown) => void;
}

export interface ObjectLogOptions {
  readonly tail: LogTail;
  readonly snapshotter: Snapshotter;
  /** Aborted by `close`: ends the snapshotter. */
  readonly closing: AbortController;
  readonly limits: CatalogueLimits;
  readonly metrics: CatalogueMetrics;
  readonly log: Logger;
}

/**
 * The catalogue on an object store's log of entries.
 *
 * Invariants:
 * 1. One loop (`#run`) reads and writes the log; it ends when nothing waits for it, so that an idle instance asks nothing of the
 *    store. At most one PUT of an entry is under way.
 * 2. `#provenAt` is a moment at which the image was the end of the log. Moments are counted, not measured: one passes with every
 *    call and with every request that can prove the end.
 * 3. A commit in the queue has certainly not happened by its present call; it leaves the queue with its outcome.
 * 4. After an unknown outcome nothing is written before the log was read again.
 */
export class ObjectLogCatalogue implements Catalogue {
  readonly rootId: string;
  readonly #options: ObjectLogOptions;
  readonly #tail: LogTail;
  readonly #unsettled: Unsettled;
  readonly #queue: Set<Commit> = new Set();
  #queuedBytes = 0;
  readonly #refreshes: Set<Refresh> = new Set();
  #moment = 0;
  #provenAt = 0;
  #mustCatchUp = false;
  #running: Promise<void> | undefined;
  #snapshotting: Promise<void> | undefined;
  #state:
    | { readonly tag: "open" }
    | { readonly tag: "closed" }
    | { readonly tag: "failed"; readonly error: unknown } = {
    tag: "open",
  };

  /** @param options.tail caught up: it has the root row. */
  constructor(options: ObjectLogOptions) {
    this.#options = options;
    this.#tail = options.tail;
    this.#unsettled = new Unsettled(options.limits.unsettledTransactionsMax);
    const root = rootRow.get(this, "root");
    if (root === undefined) throw new TypeError("a catalogue without root row");
    this.rootId = root.value.rootId;
    options.metrics.revision.set(this.revision);
  }

  get revision(): Revision {
    return this.#tail.image.revision;
  }

  get(key: string): CatalogueRow | undefined {
    return this.#tail.image.rows.get(key);
  }

  scan(prefix: string): Iterable<CatalogueRow> {
    const { rows } = this.#tail.image;
    return { [Symbol.iterator]: () => rows.prefixed(prefix)[Symbol.iterator]() };
  }

  async refresh(): Promise<Revision> {
    this.#check();
    return new Promise((resolve, reject) => {
      this.#refreshes.add({ queuedAt: this.#now(), resolve, reject });
      this.#wake();
    });
  }

  async commit(transaction: Transaction): Promise<CommitOutcome> {
    this.#check();
    checkTransaction(transaction);
    const { limits } = this.#options;
    const encoded = encodeTransaction(transaction);
    if (encoded.length > limits.transactionBytesMax) {
      throw coreError(
        "TRANSACTION_TOO_LARGE",
        `${encoded.length} bytes, at most ${limits.transactionBytesMax} are allowed`,
      );
    }
    const full =
      this.#queue.size >= limits.queuedTransactionsMax ||
      this.#queuedBytes + encoded.length > limits.queuedBytesMax;
    if (full && this.#queue.size > 0) {
      throw coreError(
        "CATALOGUE_BUSY",
        `${this.#queue.size} transactions of ${this.#queuedBytes} bytes wait already`,
      );
    }
    // Read back from its bytes, so that the caller's arrays are its own again.
    const own = readTransaction(new PackedReader(encoded, "a transaction"));
    return new Promise((resolve, reject) => {
      this.#queuedBytes += encoded.length;
      this.#queue.add({
        transaction: own,
        encoded,
        queuedAt: this.#now(),
        attempts: 0,
        resolve,
        reject,
      });
      this.#wake();
    });
  }

  watch(from: Revision, signal: AbortSignal): AsyncIterable<CatalogueChange> {
    return this.#tail.changes.watch(from, signal);
  }

  /** What is on its way to the store gets its outcome; what only waits is refused. */
  async close(): Promise<void> {
    if (this.#state.tag === "open") this.#state = { tag: "closed" };
    this.#options.closing.abort();
    this.#tail.changes.end();
    await this.#running;
    await this.#snapshotting;
  }

  #check(): void {
    if (this.#state.tag === "closed") throw closed();
    if (this.#state.tag === "failed") throw this.#state.error;
  }

  #now(): number {
    this.#moment += 1;
    return this.#moment;
  }

  #wake(): void {
    // A turn later, so that everything asked for in this turn shares one entry.
    this.#running ??= Promise.resolve()
      .then(() => this.#run())
      .catch((error: unknown) => {
        this.#fail(error);
        this.#refuse(error);
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#hasWork) this.#wake();
      });
  }

  get #hasWork(): boolean {
    return this.#queue.size > 0 || this.#refreshes.size > 0;
  }

  async #run(): Promise<void> {
    while (this.#hasWork) {
      if (this.#state.tag !== "open") {
        this.#refuse(this.#state.tag === "failed" ? this.#state.error : closed());
      } else if (this.#mustCatchUp || this.#refreshes.size > 0) {
        await this.#catchUp();
      } else {
        await this.#writeNext();
      }
      this.#options.metrics.revision.set(this.revision);
    }
  }

  async #catchUp(): Promise<void> {
    const begun = this.#now();
    const queue = [...this.#queue];
    const refreshes = [...this.#refreshes];
    try {
      await this.#tail.catchUp();
    } catch (error) {
      this.#refuse(error, queue, refreshes);
      return;
    }
    this.#proven(begun);
    for (const refresh of refreshes) {
      this.#refreshes.delete(refresh);
      refresh.resolve(this.revision);
    }
  }

  async #writeNext(): Promise<void> {
    const { limits } = this.#options;
    const beaten = [...this.#queue].filter((commit) => commit.attempts >= limits.attemptsMax);
    if (beaten.length > 0)
      this.#refuse(
        coreError("CATALOGUE_BUSY", `other writers took ${limits.attemptsMax} slots`),
        beaten,
        [],
      );
    const plan = planCommits({
      image: this.#tail.image,
      queue: this.#queue,
      unsettled: this.#unsettled,
      provenAt: this.#provenAt,
      limits,
    });
    for (const { commit, outcome } of plan.settled) this.#settle(commit, outcome);
    if (plan.included.length === 0) {
      this.#mustCatchUp = plan.kept.length > 0;
      return;
    }
    const begun = this.#now();
    const outcome = await this.#tail.create(plan.included.map((commit) => commit.encoded));
    this.#written(plan.included, outcome, begun);
  }

  #written(commits: readonly Commit[], outcome: CreateOutcome, begun: number): void {
    switch (outcome.tag) {
      case "created":
        this.#proven(begun);
        for (const commit of commits)
          this.#settle(commit, { tag: "ok", revision: outcome.entry.number as Revision });
        this.#considerSnapshot();
        return;
      case "unavailable":
        this.#refuse(outcome.error, commits, []);
        return;
      case "unknown":
        this.#mustCatchUp = true;
        this.#unsettled.add(idsOf(commits), this.revision + 1);
        for (const commit of commits)
          this.#settle(commit, { tag: "unknown", cause: outcome.cause });
        return;
      case "decided":
        this.#mustCatchUp = true;
        // Until the log was read again nobody can say that they did not happen.
        this.#unsettled.add(idsOf(commits), this.revision + 1);
        for (const commit of commits) commit.attempts += 1;
        return;
    }
  }

  /** The image was the end of the log at this moment. */
  #proven(moment: number): void {
    this.#provenAt = moment;
    this.#mustCatchUp = false;
    this.#unsettled.settle(this.#tail.image);
  }

  #settle(commit: Commit, outcome: CommitOutcome): void {
    const { metrics } = this.#options;
    if (outcome.tag === "ok") metrics.committedTransactions.add(1);
    if (outcome.tag === "conflict") metrics.conflictingTransactions.add(1);
    if (outcome.tag === "unknown") metrics.unknownTransactions.add(1);
    this.#dequeue(commit);
    commit.resolve(outcome);
  }

  /** These did not happen; but where an earlier call with the same id may have, nobody knows. */
  #refuse(
    error: unknown,
    commits: readonly Commit[] = [...this.#queue],
    refreshes: readonly Refresh[] = [...this.#refreshes],
  ): void {
    for (const commit of commits) {
      if (this.#unsettled.has(commit.transaction.id)) {
        this.#settle(commit, { tag: "unknown", cause: error });
      } else {
        this.#dequeue(commit);
        commit.reject(error);
      }
    }
    for (const refresh of refreshes) {
      this.#refreshes.delete(refresh);
      refresh.reject(error);
    }
  }

  #dequeue(commit: Commit): void {
    if (this.#queue.delete(commit)) this.#queuedBytes -= commit.encoded.length;
  }

  #considerSnapshot(): void {
    if (this.#snapshotting !== undefined || !this.#tail.snapshotDue) return;
    this.#snapshotting = this.#snapshot().finally(() => {
      this.#snapshotting = undefined;
    });
  }

  async #snapshot(): Promise<void> {
    const { snapshotter, log } = this.#options;
    try {
      const manifest = await snapshotter.write(this.#tail.image.capture(), this.#tail.snapshot);
      if (manifest === undefined) return;
      this.#tail.adopt(manifest);
      log.info("catalogue-snapshot-written", {
        ordinal: manifest.ordinal,
        revision: manifest.revision,
      });
      await snapshotter.collect(manifest);
    } catch (error) {
      // Nothing rests on this attempt: the writer of a later entry makes the next one.
      log.warn("catalogue-snapshot-failed", { error: String(error) });
      if (isKarstError(error, "internal")) this.#fail(error);
    }
  }

  /** A broken invariant: nothing of this instance can be trusted any more. The loop refuses what waits. */
  #fail(error: unknown): void {
    this.#state = { tag: "failed", error };
    this.#options.closing.abort();
    this.#tail.changes.end();
  }
}

function closed(): Error {
  return coreError("CATALOGUE_CLOSED", "the catalogue is closed");
}

function idsOf(commits: readonly Commit[]): readonly string[] {
  return commits.map((commit) => commit.transaction.id);
}
