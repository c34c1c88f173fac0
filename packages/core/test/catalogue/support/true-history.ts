import assert from "node:assert/strict";
import type { Catalogue, CatalogueChange, Transaction } from "@karst/core";
import { equalBytes } from "@karst/runtime";
import { decodeEntry, NO_ENTRY } from "../../../src/catalogue/object-log/entry.ts";
import { LOG_PREFIX, numberInKey } from "../../../src/catalogue/object-log/object-keys.ts";
import type { Around } from "./wrapped-store.ts";

type Rows = ReadonlyMap<string, { readonly value: Uint8Array; readonly revision: number }>;

/**
 * What truly happened, seen from inside the store: the first object ever created in each slot of the log. Anything that a slot
 * holds after it was emptied is no part of it. Each entry is checked as it comes, against a plain map.
 */
export class TrueHistory {
  readonly #rows: Rows[] = [new Map()];
  readonly #changes: {
    readonly put: ReadonlySet<string>;
    readonly deleted: ReadonlySet<string>;
  }[] = [];
  readonly #revisions: Map<string, number> = new Map();
  #last: string = NO_ENTRY;
  /** Slots created again after they were emptied. */
  dead = 0;

  /** Revision of the last entry. */
  get revision(): number {
    return this.#rows.length - 1;
  }

  /** To stand before the innermost store. */
  readonly observe: Around = async (request, pass) => {
    const answer = await pass();
    if (
      request.method === "putIfAbsent" &&
      answer === "created" &&
      request.key.startsWith(LOG_PREFIX)
    ) {
      const number = numberInKey(request.key) as number;
      if (number <= this.revision) this.dead += 1;
      else this.#append(number, request.body as Uint8Array);
    }
    return answer;
  };

  #append(number: number, bytes: Uint8Array): void {
    assert.equal(number, this.revision + 1, "entries come one after the other");
    const entry = decodeEntry(bytes, number);
    assert.equal(entry.predecessor, this.#last);
    this.#last = entry.id;
    const rows = new Map(this.#rows[number - 1]);
    const put = new Set<string>();
    const deleted = new Set<string>();
    for (const transaction of entry.transactions) {
      assert(!this.#revisions.has(transaction.id), "a transaction happens once");
      this.#revisions.set(transaction.id, number);
      const failing = transaction.require.find(
        ({ key, revision }) => (rows.get(key)?.revision ?? "absent") !== revision,
      );
      assert.equal(failing, undefined, "every requirement holds where its transaction happens");
      for (const { key, value } of transaction.put) {
        rows.set(key, { value: Uint8Array.from(value), revision: number });
        put.add(key);
        deleted.delete(key);
      }
      for (const key of transaction.delete) {
        rows.delete(key);
        deleted.add(key);
        put.delete(key);
      }
    }
    this.#rows.push(rows);
    this.#changes.push({ put, deleted });
  }

  revisionOf(transactionId: string): number | undefined {
    return this.#revisions.get(transactionId);
  }

  /** Whether a requirement failed at some revision in [from, to]. */
  failedBetween(transaction: Transaction, key: string, from: number, to: number): boolean {
    const required = transaction.require.find((requirement) => requirement.key === key);
    assert(required !== undefined, "a conflict names a required key");
    for (let at = from; at <= to; at += 1) {
      if ((this.#rows[at]?.get(key)?.revision ?? "absent") !== required.revision) return true;
    }
    return false;
  }

  /** The image is exactly what the history says of its revision. */
  checkImage(catalogue: Catalogue): void {
    const expected = this.#rows[catalogue.revision] as Rows;
    let previous = "";
    let count = 0;
    for (const { key, value, revision } of catalogue.scan("")) {
      assert(key > previous, "rows come in key order");
      const row = expected.get(key);
      assert(row !== undefined, `${key} is not in the history at ${catalogue.revision}`);
      assert(
        row.revision === revision && equalBytes(row.value, value),
        `${key} differs at ${catalogue.revision}`,
      );
      previous = key;
      count += 1;
    }
    assert.equal(count, expected.size);
  }

  checkChange(after: number, change: CatalogueChange): void {
    if (change.tag === "reset") {
      assert(change.revision > after && change.revision <= this.revision);
      return;
    }
    assert.equal(change.revision, after + 1);
    const expected = this.#changes[change.revision - 1];
    assert.deepEqual(new Set(change.put), expected?.put);
    assert.deepEqual(new Set(change.deleted), expected?.deleted);
  }
}
