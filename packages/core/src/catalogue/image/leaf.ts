import type { CatalogueRow, Revision } from "../catalogue.ts";
import { LEAF_BYTES_MAX, LEAF_ROWS_MAX } from "../limits.ts";

/** A run of rows, packed; never modified. It answers for the keys from `from` up to the `from` of the leaf after it. */
export interface Leaf {
  readonly from: string;
  readonly keys: readonly string[];
  readonly revisions: Float64Array;
  /** Where each value ends in `values`. */
  readonly ends: Uint32Array;
  readonly values: Uint8Array;
  /** No row in the leaf's range was written or deleted after this revision. */
  readonly changedAt: number;
}

/** Index of the first key ≥ `key`. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function rowAt(leaf: Leaf, index: number): CatalogueRow {
  return {
    key: leaf.keys[index] as string,
    value: valueAt(leaf, index),
    revision: leaf.revisions[index] as Revision,
  };
}

export function valueAt(leaf: Leaf, index: number): Uint8Array {
  return leaf.values.subarray(index === 0 ? 0 : leaf.ends[index - 1], leaf.ends[index]);
}

/** Packs rows that come in key order into leaves. */
export class LeafBuilder {
  readonly leaves: Leaf[] = [];
  readonly #changedAt: number;
  #from: string;
  #rows: CatalogueRow[] = [];
  #bytes = 0;

  /** @param from lower end of the range of the first leaf. */
  constructor(from: string, changedAt: number) {
    this.#from = from;
    this.#changedAt = changedAt;
  }

  add(row: CatalogueRow): void {
    const full =
      this.#rows.length >= LEAF_ROWS_MAX || this.#bytes + row.value.length > LEAF_BYTES_MAX;
    if (full && this.#rows.length > 0) {
      this.#flush();
      this.#from = row.key;
    }
    this.#rows.push(row);
    this.#bytes += row.value.length;
  }

  /** Ends the last leaf; without any row there is one empty leaf, which keeps the range. */
  finish(): readonly Leaf[] {
    if (this.#rows.length > 0 || this.leaves.length === 0) this.#flush();
    return this.leaves;
  }

  #flush(): void {
    this.leaves.push(packLeaf(this.#from, this.#changedAt, this.#rows, this.#bytes));
    this.#rows = [];
    this.#bytes = 0;
  }
}

function packLeaf(
  from: string,
  changedAt: number,
  rows: readonly CatalogueRow[],
  bytes: number,
): Leaf {
  const revisions = new Float64Array(rows.length);
  const ends = new Uint32Array(rows.length);
  const values = new Uint8Array(bytes);
  let end = 0;
  for (const [i, row] of rows.entries()) {
    values.set(row.value, end);
    end += row.value.length;
    ends[i] = end;
    revisions[i] = row.revision;
  }
  return { from, keys: rows.map((row) => row.key), revisions, ends, values, changedAt };
}

/** A key and its new value, or undefined for a deletion. */
export type RowChange = readonly [key: string, value: Uint8Array | undefined];

/** The rows of a leaf with changes, which come in key order, made. */
export function* mergedRows(
  leaf: Leaf,
  changes: readonly RowChange[],
  revision: Revision,
): Iterable<CatalogueRow> {
  let at = 0;
  for (const [key, value] of changes) {
    for (; at < leaf.keys.length && (leaf.keys[at] as string) < key; at += 1) yield rowAt(leaf, at);
    if (leaf.keys[at] === key) at += 1;
    if (value !== undefined) yield { key, value, revision };
  }
  for (; at < leaf.keys.length; at += 1) yield rowAt(leaf, at);
}
