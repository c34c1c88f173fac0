import type { CommitOutcome, Revision, Transaction } from "../catalogue.ts";
import { Changes, type Image } from "../image/image.ts";
import type { CatalogueLimits } from "../limits.ts";
import type { Unsettled } from "./unsettled.ts";

/** A transaction on its way. */
export interface QueuedCommit {
  readonly transaction: Transaction;
  readonly encoded: Uint8Array;
  /** Moment at which it was queued, in this instance's count of moments. */
  readonly queuedAt: number;
}

export interface CommitPlan<Commit extends QueuedCommit> {
  /** Decided by the image. */
  readonly settled: readonly { readonly commit: Commit; readonly outcome: CommitOutcome }[];
  /** For the next entry, in this order. */
  readonly included: readonly Commit[];
  /** To be looked at again when the image has advanced. */
  readonly kept: readonly Commit[];
}

/**
 * What to do with the queue, by the image.
 *
 * A requirement that fails in the image is a conflict only where the image was the end of the log at a moment after the commit
 * was queued (`provenAt`); else the commit is kept. So is one that fails only by what goes into the same entry before it.
 */
export function planCommits<Commit extends QueuedCommit>(options: {
  readonly image: Pick<Image, "revision" | "recent" | "rows">;
  readonly queue: Iterable<Commit>;
  readonly unsettled: Unsettled;
  readonly provenAt: number;
  readonly limits: Pick<CatalogueLimits, "entryBytesMax" | "entryTransactionsMax">;
}): CommitPlan<Commit> {
  const { image, limits } = options;
  const settled: { commit: Commit; outcome: CommitOutcome }[] = [];
  const included: Commit[] = [];
  const kept: Commit[] = [];
  const before = new Changes(image.rows);
  const changes = new Changes(image.rows);
  const ids = new Set<string>();
  let bytes = 0;
  for (const commit of options.queue) {
    const { transaction, encoded } = commit;
    const attempted = options.unsettled.of(image, transaction.id);
    const conflict = attempted.tag === "open" ? before.failing(transaction) : undefined;
    const fits =
      included.length === 0 ||
      (included.length < limits.entryTransactionsMax &&
        bytes + encoded.length <= limits.entryBytesMax);
    if (attempted.tag === "happened") {
      settled.push({ commit, outcome: { tag: "ok", revision: attempted.revision as Revision } });
    } else if (attempted.tag === "lost") {
      const cause = new Error("the entry that would tell has been trimmed");
      settled.push({ commit, outcome: { tag: "unknown", cause } });
    } else if (conflict !== undefined && options.provenAt > commit.queuedAt) {
      settled.push({ commit, outcome: { tag: "conflict", key: conflict } });
    } else if (
      conflict !== undefined ||
      !fits ||
      ids.has(transaction.id) ||
      changes.failing(transaction) !== undefined
    ) {
      kept.push(commit);
    } else {
      included.push(commit);
      ids.add(transaction.id);
      changes.add(transaction);
      bytes += encoded.length;
    }
  }
  return { settled, included, kept };
}
