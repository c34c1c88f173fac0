declare const revisionBrand: unique symbol;

/** Number of the log entry that last wrote a key, or that an image stands at. Grows by one with each entry. */
export type Revision = number & { readonly [revisionBrand]: true };

export interface CatalogueRow {
  readonly key: string;
  /** Not to be modified. */
  readonly value: Uint8Array;
  readonly revision: Revision;
}

/**
 * A change that happens wholly or not at all, if every requirement holds at that moment. Keys are 1..512 of `[A-Za-z0-9._/-]`, each
 * put or deleted at most once; deleting what is absent is fine.
 */
export interface Transaction {
  /** Random, fresh for each transaction: by it an unknown outcome is resolved. 1..64 printable characters; minted ids are kept shortest. */
  readonly id: string;
  readonly require: readonly { readonly key: string; readonly revision: Revision | "absent" }[];
  readonly put: readonly { readonly key: string; readonly value: Uint8Array }[];
  readonly delete: readonly string[];
}

/** `conflict`: a requirement did not hold; nothing happened. `unknown`: it may have happened, or may still. */
export type CommitOutcome =
  | { readonly tag: "ok"; readonly revision: Revision }
  | { readonly tag: "conflict"; readonly key: string }
  | { readonly tag: "unknown"; readonly cause: unknown };

/** What one revision changed. `reset`: history before it is gone; read the image anew. */
export type CatalogueChange =
  | {
      readonly tag: "change";
      readonly revision: Revision;
      readonly put: readonly string[];
      readonly deleted: readonly string[];
    }
  | { readonly tag: "reset"; readonly revision: Revision };

/**
 * The small, strongly consistent truth about nodes, topics, streams and objects: one atomic scope of keys.
 *
 * The image is local and read synchronously; it is some prefix of the log, at least as new as this instance's last `refresh` or
 * `commit`. `require` is checked against the log's tail, never against the image alone.
 */
export interface Catalogue {
  /** Minted when the root was created; every WAL of the root carries it. */
  readonly rootId: string;
  /** Where the image stands. */
  readonly revision: Revision;

  get(key: string): CatalogueRow | undefined;
  /** Rows whose key begins with `prefix`, in key order, of the image at the time of the call. */
  scan(prefix: string): Iterable<CatalogueRow>;
  /**
   * Brings the image to the tail of the log. Linearizable: it sees every commit that was acknowledged before the call.
   *
   * @throws KarstError `CATALOGUE_CLOSED` (`closed`); `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`); `unavailable` as `commit`.
   */
  refresh(): Promise<Revision>;
  /**
   * Applies a transaction; concurrent ones of this instance share an entry. The image has it when `ok` is returned. Bytes are
   * copied before it returns. A transaction whose id is among the last ones of the log is not applied again: committing the same
   * one again after `unknown` is how to learn what became of it.
   *
   * @throws KarstError, and nothing happened: `CATALOGUE_CLOSED` (`closed`); `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`);
   * `TRANSACTION_TOO_LARGE` (`invalid`); `CATALOGUE_BUSY` (`unavailable`): too many wait, or other writers were always faster; what
   * the store rejects with (`unavailable`).
   */
  commit(transaction: Transaction): Promise<CommitOutcome>;
  /** Changes after `from`, in order, as this image learns of them; ends quietly when the signal aborts. */
  watch(from: Revision, signal: AbortSignal): AsyncIterable<CatalogueChange>;
  /** What is on its way gets its outcome; what waits is refused; watches end. The store stays open. */
  close(): Promise<void>;
}
