import type { Leaf } from "../image/leaf.ts";
import type { SortedRows } from "../image/sorted-rows.ts";
import type { Manifest, RowChunk } from "./manifest.ts";

/** A part of the next snapshot: a chunk as it is, or the rows with `from` ≤ key < `to` written anew. */
export type SnapshotPart =
  | { readonly tag: "reuse"; readonly chunk: RowChunk }
  | { readonly tag: "write"; readonly from: string; readonly to: string | undefined };

/**
 * Which chunks of the snapshot before still have exactly the rows of their range.
 *
 * A chunk does when no leaf that touches its range has changed since. One that does, but is small and stands beside rows that are
 * written anyway, is written with them, so that chunks do not crumble.
 */
export function planSnapshot(
  rows: SortedRows,
  base: Manifest | undefined,
  smallBytes: number,
): readonly SnapshotPart[] {
  if (base === undefined || base.chunks.length === 0)
    return [{ tag: "write", from: "", to: undefined }];
  const reusable = base.chunks.map(
    (chunk, i) => !changed(rows, base.revision, chunk.from, base.chunks[i + 1]?.from),
  );
  const parts: SnapshotPart[] = [];
  for (const [i, chunk] of base.chunks.entries()) {
    const crumb =
      chunk.bytes < smallBytes && (reusable[i - 1] === false || reusable[i + 1] === false);
    const to = base.chunks[i + 1]?.from;
    const last = parts[parts.length - 1];
    if (reusable[i] === true && !crumb) parts.push({ tag: "reuse", chunk });
    else if (last?.tag === "write") parts[parts.length - 1] = { ...last, to };
    else parts.push({ tag: "write", from: chunk.from, to });
  }
  return parts;
}

function changed(rows: SortedRows, since: number, from: string, to: string | undefined): boolean {
  for (let at = rows.leafOf(from); at < rows.leaves.length; at += 1) {
    const leaf = rows.leaves[at] as Leaf;
    if (to !== undefined && leaf.from >= to) return false;
    if (leaf.changedAt > since) return true;
  }
  return false;
}
