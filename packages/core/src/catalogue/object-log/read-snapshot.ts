import type { Clock } from "@karst/runtime";
import { coreError } from "../../errors.ts";
import type { ImageSnapshot } from "../image/image.ts";
import { type Leaf, LeafBuilder } from "../image/leaf.ts";
import { SortedRows } from "../image/sorted-rows.ts";
import { decodeChunk, decodeRecent } from "./chunk.ts";
import type { LogStore } from "./log-store.ts";
import type { Manifest, RowChunk } from "./manifest.ts";
import { chunkKey } from "./object-keys.ts";

/** `gone`: a chunk does not exist; a newer snapshot has replaced this one, or it is corrupt. */
export type ReadSnapshot =
  | { readonly tag: "read"; readonly image: ImageSnapshot }
  | { readonly tag: "gone"; readonly key: string };

/**
 * The image that a manifest describes. Other work gets its turn between chunks.
 *
 * @throws KarstError `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`), naming the object.
 */
export async function readSnapshot(
  store: LogStore,
  manifest: Manifest,
  options: { readonly clock: Clock; readonly readAheadMax: number },
): Promise<ReadSnapshot> {
  const recent = await store.chunk(manifest.recent);
  if (recent === undefined) return { tag: "gone", key: chunkKey(manifest.recent) };
  const leaves: Leaf[] = [];
  for (let at = 0; at < manifest.chunks.length; at += options.readAheadMax) {
    const chunks = manifest.chunks.slice(at, at + options.readAheadMax);
    const read = await Promise.all(chunks.map((chunk) => store.chunk(chunk)));
    for (const [i, chunk] of chunks.entries()) {
      const bytes = read[i];
      if (bytes === undefined) return { tag: "gone", key: chunkKey(chunk) };
      if (leaves.length > 0) await new Promise<void>((resolve) => options.clock.defer(resolve));
      leaves.push(...leavesOf(manifest, chunk, manifest.chunks[at + i + 1]?.from, bytes));
    }
  }
  const { revision, entryId } = manifest;
  const rows = SortedRows.of(leaves);
  return {
    tag: "read",
    image: { revision, entryId, rows, recent: decodeRecent(recent, chunkKey(manifest.recent)) },
  };
}

function leavesOf(
  manifest: Manifest,
  chunk: RowChunk,
  next: string | undefined,
  bytes: Uint8Array,
): readonly Leaf[] {
  const key = chunkKey(chunk);
  const builder = new LeafBuilder(chunk.from, manifest.revision);
  let rows = 0;
  for (const row of decodeChunk(bytes, key)) {
    const inRange = row.key >= chunk.from && (next === undefined || row.key < next);
    if (!inRange || row.revision > manifest.revision)
      throw coreError("CATALOGUE_CORRUPT", `${key}: a row of another range`);
    builder.add(row);
    rows += 1;
  }
  if (rows !== chunk.rows)
    throw coreError("CATALOGUE_CORRUPT", `${key}: ${rows} rows, not ${chunk.rows}`);
  return builder.finish();
}
