import { assert } from "@karst/runtime";
import { coreError } from "../../errors.ts";
import type { CatalogueRow, Revision, Transaction } from "../catalogue.ts";
import { type Entry, NO_ENTRY } from "../object-log/entry.ts";
import { entryKey } from "../object-log/object-keys.ts";
import { ROOT_FEATURES, ROOT_FORMAT_VERSION, rootRow } from "../rows/root-row.ts";
import { type RecentSnapshot, RecentTransactions } from "./recent-transactions.ts";
import { type RowChanges, SortedRows } from "./sorted-rows.ts";

/** An image at one moment: what a snapshot is made of. */
export interface ImageSnapshot {
  readonly revision: Revision;
  /** Id of the entry that made the revision. */
  readonly entryId: string;
  readonly rows: SortedRows;
  readonly recent: RecentSnapshot;
}

export const EMPTY_IMAGE: ImageSnapshot = {
  revision: 0 as Revision,
  entryId: NO_ENTRY,
  rows: SortedRows.EMPTY,
  recent: { completeFrom: 1, transactions: [] },
};

/**
 * The catalogue's rows as of one entry of the log.
 *
 * Invariants: it is the fold of exactly the entries 1..`revision` of the one true history; it never goes back; an entry is
 * applied wholly or, when its requirements do not hold, not at all.
 */
export class Image {
  readonly #recentMax: number;
  #revision: Revision = EMPTY_IMAGE.revision;
  #entryId: string = EMPTY_IMAGE.entryId;
  #rows: SortedRows = EMPTY_IMAGE.rows;
  #recent: RecentTransactions;

  constructor(recentMax: number) {
    this.#recentMax = recentMax;
    this.#recent = new RecentTransactions(recentMax);
  }

  get revision(): Revision {
    return this.#revision;
  }

  get entryId(): string {
    return this.#entryId;
  }

  get rows(): SortedRows {
    return this.#rows;
  }

  get recent(): Pick<RecentTransactions, "revisionOf" | "completeFrom"> {
    return this.#recent;
  }

  /** Puts a snapshot that is ahead in place of all of it. @throws KarstError `CATALOGUE_VERSION` (`corrupt`). */
  load(snapshot: ImageSnapshot): void {
    assert(snapshot.revision > this.#revision, "a snapshot must not take the image back");
    checkRoot(snapshot.rows.get(rootRow.key("root")));
    this.#revision = snapshot.revision;
    this.#entryId = snapshot.entryId;
    this.#rows = snapshot.rows;
    this.#recent = new RecentTransactions(this.#recentMax, snapshot.recent);
  }

  /**
   * Applies the entry after the image's.
   *
   * @throws KarstError `CATALOGUE_CORRUPT` (`corrupt`) where a requirement of it does not hold: its writer checked the same
   * requirements against the same image. `CATALOGUE_VERSION` (`corrupt`) where it makes the root newer than this code.
   */
  apply(entry: Entry): void {
    assert(
      entry.number === this.#revision + 1,
      `entry ${entry.number} does not follow revision ${this.#revision}`,
    );
    assert(entry.predecessor === this.#entryId, `entry ${entry.number} follows another history`);
    const changes = new Changes(this.#rows);
    for (const transaction of entry.transactions) {
      const failing = changes.failing(transaction);
      if (failing !== undefined) {
        throw coreError(
          "CATALOGUE_CORRUPT",
          `${entryKey(entry.number)}: its requirement on ${failing} does not hold`,
        );
      }
      changes.add(transaction);
    }
    const revision = entry.number as Revision;
    const rows = this.#rows.with(changes.byKey, revision);
    checkRoot(rows.get(rootRow.key("root")));
    this.#rows = rows;
    this.#revision = revision;
    this.#entryId = entry.id;
    this.#recent.add(
      entry.transactions.map((transaction) => transaction.id),
      revision,
    );
  }

  capture(): ImageSnapshot {
    return {
      revision: this.#revision,
      entryId: this.#entryId,
      rows: this.#rows,
      recent: this.#recent.capture(),
    };
  }
}

/** Transactions of one entry, on top of the rows before it. Writer and readers decide with it alike. */
export class Changes {
  readonly #rows: SortedRows;
  readonly #byKey: Map<string, Uint8Array | undefined> = new Map();

  constructor(rows: SortedRows) {
    this.#rows = rows;
  }

  get byKey(): RowChanges {
    return this.#byKey;
  }

  /** Key of a requirement that does not hold. What the same entry has put has no revision yet that could be required. */
  failing(transaction: Transaction): string | undefined {
    for (const { key, revision } of transaction.require) {
      const changed = this.#byKey.has(key);
      const absent = changed
        ? this.#byKey.get(key) === undefined
        : this.#rows.get(key) === undefined;
      const holds =
        revision === "absent" ? absent : !changed && this.#rows.get(key)?.revision === revision;
      if (!holds) return key;
    }
    return undefined;
  }

  add(transaction: Transaction): void {
    for (const { key, value } of transaction.put) this.#byKey.set(key, value);
    for (const key of transaction.delete) this.#byKey.set(key, undefined);
  }
}

function checkRoot(row: CatalogueRow | undefined): void {
  if (row === undefined) throw coreError("CATALOGUE_CORRUPT", "the catalogue has no root row");
  const root = rootRow.decode(row.value);
  const unknown = (root.features & ~ROOT_FEATURES) >>> 0;
  if (root.formatVersion > ROOT_FORMAT_VERSION || unknown !== 0) {
    const found = `format version ${root.formatVersion} and features 0x${unknown.toString(16)}`;
    throw coreError("CATALOGUE_VERSION", `the root has ${found}, which this version does not know`);
  }
}
