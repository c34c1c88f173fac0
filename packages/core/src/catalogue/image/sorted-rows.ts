import type { CatalogueRow, Revision } from "../catalogue.ts";
import { LEAF_BYTES_MAX, LEAF_ROWS_MAX } from "../limits.ts";
import { type Leaf, LeafBuilder, lowerBound, mergedRows, type RowChange, rowAt } from "./leaf.ts";

/** Changes by key: a value, or undefined for a deletion. */
export type RowChanges = ReadonlyMap<string, Uint8Array | undefined>;

/** A leaf below these joins its neighbour. */
const SMALL_ROWS = LEAF_ROWS_MAX / 4;
const SMALL_BYTES = LEAF_BYTES_MAX / 4;

/**
 * Rows in key order. Immutable: `with` gives a new one that shares all leaves it did not change, so holding an old one is a
 * snapshot, and costs what has changed since.
 *
 * Invariants: leaves are in key order; the first one's range begins at ""; no leaf is empty but the only one; a leaf's
 * `changedAt` is at least the revision of every row written or deleted in its range.
 */
export class SortedRows {
  static readonly EMPTY: SortedRows = new SortedRows(new LeafBuilder("", 0).finish());

  readonly leaves: readonly Leaf[];

  private constructor(leaves: readonly Leaf[]) {
    this.leaves = leaves;
  }

  /** Leaves in key order; the range of each must begin where the one's before ends. */
  static of(leaves: readonly Leaf[]): SortedRows {
    const full = leaves.filter((leaf) => leaf.keys.length > 0);
    const [first, ...rest] = full;
    return first === undefined
      ? SortedRows.EMPTY
      : new SortedRows([{ ...first, from: "" }, ...rest]);
  }

  get count(): number {
    let count = 0;
    for (const leaf of this.leaves) count += leaf.keys.length;
    return count;
  }

  get(key: string): CatalogueRow | undefined {
    const leaf = this.leaves[this.leafOf(key)] as Leaf;
    const index = lowerBound(leaf.keys, key);
    return leaf.keys[index] === key ? rowAt(leaf, index) : undefined;
  }

  /** Rows with `from` ≤ key, in key order, until `to` (exclusive; undefined: no end). */
  *range(from: string, to?: string): Iterable<CatalogueRow> {
    for (let at = this.leafOf(from); at < this.leaves.length; at += 1) {
      const leaf = this.leaves[at] as Leaf;
      for (let i = lowerBound(leaf.keys, from); i < leaf.keys.length; i += 1) {
        if (to !== undefined && (leaf.keys[i] as string) >= to) return;
        yield rowAt(leaf, i);
      }
    }
  }

  *prefixed(prefix: string): Iterable<CatalogueRow> {
    for (const row of this.range(prefix)) {
      if (!row.key.startsWith(prefix)) return;
      yield row;
    }
  }

  /** Index of the leaf whose range has the key. */
  leafOf(key: string): number {
    let low = 0;
    let high = this.leaves.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.leaves[middle] as Leaf).from <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** These rows with the changes made at `revision`. */
  with(changes: RowChanges, revision: Revision): SortedRows {
    if (changes.size === 0) return this;
    const out: Leaf[] = [];
    let next = 0;
    for (const [index, group] of this.#byLeaf(changes)) {
      this.#keep(out, next, index);
      const leaf = this.leaves[index] as Leaf;
      const builder = new LeafBuilder(leaf.from, revision);
      for (const row of mergedRows(leaf, group, revision)) builder.add(row);
      for (const built of builder.finish()) append(out, built);
      next = index + 1;
    }
    this.#keep(out, next, this.leaves.length);
    return new SortedRows(out);
  }

  /** Adds leaves as they are; but the first one after a changed one may be its only neighbour to join. */
  #keep(out: Leaf[], first: number, last: number): void {
    for (let at = first; at < last; at += 1) {
      if (at === first && first > 0) append(out, this.leaves[at] as Leaf);
      else out.push(this.leaves[at] as Leaf);
    }
  }

  /** The changes of each leaf that has any, in key order. */
  #byLeaf(changes: RowChanges): ReadonlyMap<number, readonly RowChange[]> {
    const groups = new Map<number, RowChange[]>();
    for (const change of [...changes].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const index = this.leafOf(change[0]);
      const group = groups.get(index);
      if (group === undefined) groups.set(index, [change]);
      else group.push(change);
    }
    return groups;
  }
}

/** Adds a leaf after the others; with the last one where one of them is empty, or is small and both fit. */
function append(out: Leaf[], leaf: Leaf): void {
  const last = out[out.length - 1];
  if (last !== undefined && (last.keys.length === 0 || leaf.keys.length === 0)) {
    const full = leaf.keys.length === 0 ? last : leaf;
    out[out.length - 1] = {
      ...full,
      from: last.from,
      changedAt: Math.max(last.changedAt, leaf.changedAt),
    };
    return;
  }
  const joins =
    last !== undefined &&
    (isSmall(last) || isSmall(leaf)) &&
    last.keys.length + leaf.keys.length <= LEAF_ROWS_MAX &&
    last.values.length + leaf.values.length <= LEAF_BYTES_MAX;
  if (!joins) {
    out.push(leaf);
    return;
  }
  const builder = new LeafBuilder(last.from, Math.max(last.changedAt, leaf.changedAt));
  for (const part of [last, leaf])
    for (let i = 0; i < part.keys.length; i += 1) builder.add(rowAt(part, i));
  out.pop();
  out.push(...builder.finish());
}

function isSmall(leaf: Leaf | undefined): boolean {
  return leaf !== undefined && leaf.keys.length < SMALL_ROWS && leaf.values.length < SMALL_BYTES;
}
