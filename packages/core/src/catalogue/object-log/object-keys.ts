/**
 * Names of the log's objects. Numbers have twenty digits, so that key order is numeric order.
 *
 * `catalogue/log/<number>`: entries, from 1. `catalogue/snapshots/<ordinal>`: manifests, from 1, never deleted.
 * `catalogue/chunks/<ordinal>-<id>`: what the manifest of that ordinal, or a later one, is made of.
 */
export const CATALOGUE_PREFIX = "catalogue/";
export const LOG_PREFIX = "catalogue/log/";
export const SNAPSHOTS_PREFIX = "catalogue/snapshots/";
export const CHUNKS_PREFIX = "catalogue/chunks/";

const DIGITS = 20;

export function entryKey(number: number): string {
  return LOG_PREFIX + digits(number);
}

export function manifestKey(ordinal: number): string {
  return SNAPSHOTS_PREFIX + digits(ordinal);
}

/** `id`: 32 random hex digits, so that no two builders ever write the same chunk. */
export function chunkKey(chunk: { readonly ordinal: number; readonly id: string }): string {
  return `${CHUNKS_PREFIX}${digits(chunk.ordinal)}-${chunk.id}`;
}

/** The number in an entry's or manifest's key, or of a chunk's its ordinal; undefined: not one of ours. */
export function numberInKey(key: string): number | undefined {
  const match = /^catalogue\/(?:log\/|snapshots\/|chunks\/)([0-9]{20})(?:$|-)/.exec(key);
  if (match === null) return undefined;
  const number = Number(match[1]);
  return Number.isSafeInteger(number) ? number : undefined;
}

function digits(number: number): string {
  return String(number).padStart(DIGITS, "0");
}
