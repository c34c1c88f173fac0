import { assert, isKarstError, randomId, type Runtime } from "@karst/runtime";
import { coreError } from "../../errors.ts";
import { ChangeHistory } from "../image/change-history.ts";
import { Image } from "../image/image.ts";
import type { CatalogueLimits } from "../limits.ts";
import type { CatalogueMetrics } from "./catalogue-metrics.ts";
import { decodeEntry, encodeEntry, type Entry } from "./entry.ts";
import type { LogStore } from "./log-store.ts";
import { type Manifest, snapshotBytes } from "./manifest.ts";
import { entryKey, manifestKey } from "./object-keys.ts";
import { readAhead } from "./read-ahead.ts";
import { readSnapshot } from "./read-snapshot.ts";

/**
 * `created`: the entry is the log's next, and the image has it. `unavailable`: it was not created. `decided`: its slot is taken, by
 * another as far as can be seen: the log says by which. `unknown`: it may have been created, or may still be.
 */
export type CreateOutcome =
  | { readonly tag: "created"; readonly entry: Entry }
  | { readonly tag: "unavailable"; readonly error: unknown }
  | { readonly tag: "decided" }
  | { readonly tag: "unknown"; readonly cause: unknown };

/**
 * One instance's view of the log: its image, and the newest snapshot it knows.
 *
 * Invariants:
 * 1. The image is a prefix of the one true history: an entry enters it only if, after it was read or created, the manifest after
 *    the newest known one did not exist. A trimmed slot may hold anything; but before a slot is trimmed a manifest above it
 *    exists, and manifests are never deleted.
 * 2. The newest known snapshot is at or below the image.
 * 3. `catchUp` and `create` are never under way at the same time; what they have read is still next when they apply it.
 */
export class LogTail {
  readonly image: Image;
  readonly changes: ChangeHistory;
  readonly #store: LogStore;
  readonly #runtime: Runtime;
  readonly #limits: CatalogueLimits;
  readonly #metrics: CatalogueMetrics;
  #snapshot: Manifest | undefined;
  /** Sizes of the entries after the newest known snapshot. */
  #entryBytes: number[] = [];

  constructor(options: {
    readonly store: LogStore;
    readonly runtime: Runtime;
    readonly limits: CatalogueLimits;
    readonly metrics: CatalogueMetrics;
  }) {
    this.#store = options.store;
    this.#runtime = options.runtime;
    this.#limits = options.limits;
    this.#metrics = options.metrics;
    this.image = new Image(options.limits.recentTransactionsMax);
    this.changes = new ChangeHistory(options.limits.watchHistoryMax, this.image.revision);
  }

  /** The newest known one. */
  get snapshot(): Manifest | undefined {
    return this.#snapshot;
  }

  get #knownOrdinal(): number {
    return this.#snapshot?.ordinal ?? 0;
  }

  /** Whether the log is long enough for a snapshot, and its last entry one of those whose writer makes it. */
  get snapshotDue(): boolean {
    const entries = this.#entryBytes.length;
    if (entries === 0 || entries % this.#limits.snapshotEveryEntries !== 0) return false;
    if (entries < this.#limits.snapshotEntriesMin) return false;
    if (entries >= this.#limits.snapshotEntriesMax || this.#snapshot === undefined) return true;
    return (
      this.#entryBytes.reduce((sum, bytes) => sum + bytes, 0) > snapshotBytes(this.#snapshot) / 2
    );
  }

  /** Starts from the newest snapshot there is, so that entries before it are not looked for. */
  async start(): Promise<void> {
    const newest = await this.#store.newestManifest(0);
    if (newest > 0) await this.#takeOver(newest, []);
  }

  /**
   * Brings the image to the end of the log: it then has every entry that was created before the call.
   *
   * @param width entries asked for at first.
   * @throws KarstError `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`), naming the object; `CATALOGUE_BUSY` (`unavailable`): the
   * log was trimmed faster than it could be read; what the store rejects with.
   */
  async catchUp(width: number = 1): Promise<void> {
    let restarts = 0;
    for (;;) {
      const run = await readAhead(this.#store, this.image, {
        first: width,
        max: this.#limits.readAheadMax,
      });
      const newest = await this.#store.newestManifest(this.#knownOrdinal);
      // Known by now, also where this instance has published it in the meantime: at or below the image.
      if (newest <= this.#knownOrdinal) {
        for (const entry of run.entries) this.#apply(entry);
        this.#metrics.readEntries.add(run.entries.length);
        if (run.end.tag === "broken") throw run.end.error;
        if (run.end.tag === "missing") return;
      } else {
        restarts += 1;
        if (restarts > this.#limits.catchUpAttemptsMax)
          throw coreError("CATALOGUE_BUSY", "the log is trimmed faster than it is read");
        await this.#takeOver(newest, run.entries);
      }
    }
  }

  /** Creates the next entry from transactions whose requirements hold in the image. */
  async create(transactions: readonly Uint8Array[]): Promise<CreateOutcome> {
    const number = this.image.revision + 1;
    const head = { number, predecessor: this.image.entryId, id: randomId(this.#runtime.random) };
    const bytes = encodeEntry(head, transactions);
    try {
      const answer = await this.#store.create(entryKey(number), bytes);
      if (answer === "exists") {
        this.#metrics.lostSlots.add(1);
        return { tag: "decided" };
      }
    } catch (error) {
      // Only what the store says for certain did not happen is taken for that.
      const certain = isKarstError(error, "unavailable", "closed", "invalid");
      return certain ? { tag: "unavailable", error } : { tag: "unknown", cause: error };
    }
    try {
      // A slot that was trimmed can be created again: it counts only if no snapshot above the image came in the meantime.
      if ((await this.#store.newestManifest(this.#knownOrdinal)) > this.#knownOrdinal) {
        this.#metrics.doubtfulSlots.add(1);
        return { tag: "decided" };
      }
    } catch (error) {
      return { tag: "unknown", cause: error };
    }
    const entry = decodeEntry(bytes, number);
    this.#apply(entry);
    this.#metrics.createdEntries.add(1);
    return { tag: "created", entry };
  }

  /** Learns of a snapshot of this history, unless a newer one is known. */
  adopt(manifest: Manifest): void {
    if (manifest.ordinal <= this.#knownOrdinal) return;
    assert(manifest.revision <= this.image.revision, "a snapshot above the image was adopted");
    const after = this.image.revision - manifest.revision;
    this.#entryBytes = after === 0 ? [] : this.#entryBytes.slice(-after);
    this.#snapshot = manifest;
  }

  /**
   * Accepts the snapshot of an ordinal; loads it where the image, and the entries that were read after it, do not lead there.
   */
  async #takeOver(ordinal: number, entries: readonly Entry[]): Promise<void> {
    const manifest = await this.#store.manifest(ordinal);
    if (manifest === undefined)
      throw coreError("CATALOGUE_CORRUPT", `${manifestKey(ordinal)}: missing`);
    const ahead = manifest.revision - this.image.revision;
    if (ahead <= 0) {
      this.adopt(manifest);
      return;
    }
    // Each entry names the one before it: where the last one is the snapshot's, all of them are of its history.
    if (entries[ahead - 1]?.id === manifest.entryId) {
      for (const entry of entries.slice(0, ahead)) this.#apply(entry);
      this.#metrics.readEntries.add(ahead);
      this.adopt(manifest);
      return;
    }
    await this.#load(manifest);
  }

  async #load(manifest: Manifest): Promise<void> {
    const { clock } = this.#runtime;
    const snapshot = await readSnapshot(this.#store, manifest, {
      clock,
      readAheadMax: this.#limits.readAheadMax,
    });
    if (snapshot.tag === "gone") {
      // Its chunks go only when the next manifest exists: the caller starts over with that one.
      if ((await this.#store.newestManifest(manifest.ordinal)) > manifest.ordinal) return;
      throw coreError(
        "CATALOGUE_CORRUPT",
        `${snapshot.key}: missing, though the newest snapshot needs it`,
      );
    }
    this.image.load(snapshot.image);
    this.#snapshot = manifest;
    this.#entryBytes = [];
    this.#metrics.loadedSnapshots.add(1);
    this.changes.jump(this.image.revision);
  }

  #apply(entry: Entry): void {
    this.image.apply(entry);
    this.#entryBytes.push(entry.bytes);
    const put = new Set<string>();
    const deleted = new Set<string>();
    for (const transaction of entry.transactions) {
      for (const { key } of transaction.put) if (put.add(key)) deleted.delete(key);
      for (const key of transaction.delete) if (deleted.add(key)) put.delete(key);
    }
    this.changes.add({
      tag: "change",
      revision: this.image.revision,
      put: [...put],
      deleted: [...deleted],
    });
  }
}
