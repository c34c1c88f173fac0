import { assert, isKarstError, type Logger, randomId, type Runtime } from "@karst/runtime";
import { abortable } from "../cache/abortable.ts";
import type { Catalogue, Revision } from "../catalogue/catalogue.ts";
import { type NodeRow, nodeRow } from "../catalogue/rows/node-row.ts";
import { coreError } from "../errors.ts";
import { CONTRIBUTIONS_PER_COMMIT_MAX } from "../limits.ts";
import { Draft } from "./draft.ts";
import { Retry } from "./retry.ts";

/**
 * Puts what it wants into the draft, from what the draft says. Called again with a newer image after a conflict, so it changes
 * nothing else. Throwing leaves the contribution, and it alone, out.
 */
export type Contribution<T> = (draft: Draft) => T;

export interface CommitterOptions {
  readonly catalogue: Catalogue;
  readonly runtime: Runtime;
  readonly nodeId: string;
  /** Of the node's record as this engine wrote it at open. */
  readonly revision: Revision;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
  /** The record is not ours any more, or the catalogue cannot be used: for ever. */
  readonly onFailed: (error: Error) => void;
}

interface Pending {
  readonly contribute: Contribution<unknown>;
  /** Try again for as long as the engine lives, where the catalogue cannot be reached. */
  readonly patient: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = "ok" | "conflict" | "unknown" | "unavailable";

type Built = {
  readonly pending: Pending;
  readonly outcome: { readonly value: unknown } | { readonly error: unknown };
};

/**
 * Every commit of one node.
 *
 * Invariants: one transaction is in flight at most. Each requires the node's record to be as this engine last wrote it, and
 * rewrites it with its own id: so it fences all of the node's streams, orders the node's commits, and resolves unknown
 * outcomes. A contribution settles exactly once, when its outcome is decided. Once the record is found changed by somebody
 * else nothing is committed again.
 */
export class NodeCommitter {
  readonly #catalogue: Catalogue;
  readonly #runtime: Runtime;
  readonly #log: Logger;
  readonly #nodeId: string;
  readonly #signal: AbortSignal;
  readonly #onFailed: (error: Error) => void;
  readonly #queue: Pending[] = [];
  #revision: Revision;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(options: CommitterOptions) {
    this.#catalogue = options.catalogue;
    this.#runtime = options.runtime;
    this.#log = options.runtime.log;
    this.#nodeId = options.nodeId;
    this.#signal = options.signal;
    this.#onFailed = options.onFailed;
    this.#revision = options.revision;
  }

  /**
   * Commits a contribution, together with others that wait.
   *
   * @returns what the contribution returned when it was built into the transaction that happened.
   * @throws what the contribution throws; KarstError `CATALOGUE_UNAVAILABLE` (`unavailable`) unless patient: not done; `ENGINE_FENCED`
   * (`fenced`); `COMMIT_UNKNOWN` (`indeterminate`): the engine ended while it was in doubt.
   */
  commit<T>(contribute: Contribution<T>, options: { readonly patient: boolean }): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#queue.push({
        contribute,
        patient: options.patient,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    });
  }

  /** Resolves when nothing is in flight any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Everything that is asked for in this turn goes into one transaction.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, CONTRIBUTIONS_PER_COMMIT_MAX);
      if (this.#failure === undefined) await this.#decide(batch);
      else for (const pending of batch) pending.reject(this.#failure);
    }
  }

  /** Brings one batch to its end; never rejects. */
  async #decide(batch: readonly Pending[]): Promise<void> {
    const doubtful = new Map<string, readonly Built[]>();
    try {
      await this.#tryUntilDecided(batch, doubtful);
    } catch (error) {
      const failure =
        this.#signal.aborted || isKarstError(error)
          ? (error as Error)
          : coreError("ENGINE_FAILED", "a commit failed", error);
      if (!this.#signal.aborted) this.#fail(failure);
      const inDoubt = coreError(
        "COMMIT_UNKNOWN",
        "the engine ended before the commit was decided",
        error,
      );
      for (const pending of batch) pending.reject(doubtful.size > 0 ? inDoubt : failure);
    }
  }

  async #tryUntilDecided(
    batch: readonly Pending[],
    doubtful: Map<string, readonly Built[]>,
  ): Promise<void> {
    const retry = new Retry({
      clock: this.#runtime.clock,
      random: this.#runtime.random,
      signal: this.#signal,
    });
    let waiting = batch;
    let stale = false;
    while (waiting.length > 0) {
      this.#signal.throwIfAborted();
      let outcome: Outcome = stale ? await this.#refresh() : "ok";
      if (outcome === "ok") {
        const row = nodeRow.get(this.#catalogue, this.#nodeId);
        if (row === undefined || row.revision !== this.#revision) {
          const landed = row === undefined ? undefined : doubtful.get(row.value.lastTx);
          if (row === undefined || landed === undefined) throw this.#fenced(row?.value);
          this.#revision = row.revision;
          settle(landed);
          return;
        }
        const { draft, built } = this.#build(waiting, row.value);
        const id = randomId(this.#runtime.random);
        if (doubtful.size > 0 || !draft.isEmpty || draft.node !== row.value) {
          doubtful.set(id, built);
          outcome = await this.#attempt(draft, id);
          if (outcome !== "unknown") doubtful.delete(id);
        }
        if (outcome === "ok") {
          settle(built);
          return;
        }
        stale = outcome !== "unavailable";
      }
      if (outcome === "unavailable") {
        // Certainly not done; but an earlier try of the batch may have been.
        if (doubtful.size === 0) waiting = this.#dropImpatient(waiting);
        if (waiting.length > 0) await retry.pause();
      }
    }
  }

  #build(
    waiting: readonly Pending[],
    node: NodeRow,
  ): { readonly draft: Draft; readonly built: readonly Built[] } {
    const draft = new Draft(this.#catalogue, node);
    const built = waiting.map((pending): Built => {
      const fork = draft.fork();
      try {
        const value = pending.contribute(fork);
        draft.adopt(fork);
        return { pending, outcome: { value } };
      } catch (error) {
        return { pending, outcome: { error } };
      }
    });
    return { draft, built };
  }

  async #attempt(draft: Draft, id: string): Promise<Outcome> {
    const key = nodeRow.key(this.#nodeId);
    try {
      const committing = this.#catalogue.commit({
        id,
        require: [
          ...draft.requirements.filter((one) => one.key !== key),
          { key, revision: this.#revision },
        ],
        put: [...draft.puts, nodeRow.put(this.#nodeId, { ...draft.node, lastTx: id })],
        delete: draft.deletes,
      });
      const outcome = await abortable(committing, this.#signal);
      if (outcome.tag === "ok") this.#revision = outcome.revision;
      return outcome.tag;
    } catch (error) {
      if (this.#signal.aborted || !isKarstError(error, "unavailable")) throw error;
      this.#log.warn("commit-unavailable", { nodeId: this.#nodeId, reason: error.message });
      return "unavailable";
    }
  }

  async #refresh(): Promise<"ok" | "unavailable"> {
    try {
      await abortable(this.#catalogue.refresh(), this.#signal);
      return "ok";
    } catch (error) {
      if (this.#signal.aborted || !isKarstError(error, "unavailable", "indeterminate")) throw error;
      return "unavailable";
    }
  }

  #dropImpatient(waiting: readonly Pending[]): readonly Pending[] {
    const unavailable = coreError(
      "CATALOGUE_UNAVAILABLE",
      "the catalogue cannot be reached; nothing was changed",
    );
    for (const pending of waiting) if (!pending.patient) pending.reject(unavailable);
    return waiting.filter((pending) => pending.patient);
  }

  #fenced(row: NodeRow | undefined): Error {
    const found =
      row === undefined ? "it is gone" : `it is at epoch ${row.epoch}, ${row.state.tag}`;
    return coreError(
      "ENGINE_FENCED",
      `the record of node ${this.#nodeId} was changed by another process: ${found}`,
    );
  }

  #fail(error: Error): void {
    assert(this.#failure === undefined, "a committer fails once");
    this.#failure = error;
    this.#onFailed(error);
  }
}

function settle(built: readonly Built[]): void {
  for (const { pending, outcome } of built) {
    if ("value" in outcome) pending.resolve(outcome.value);
    else pending.reject(outcome.error);
  }
}
