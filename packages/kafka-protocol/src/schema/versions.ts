import type { Versions } from "./field.ts";

/** Message versions from `min` to `max`, both included. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

export function parseVersions(text: Versions): VersionRange {
  const match = /^(\d+)(?:\+|-(\d+))$/.exec(text);
  if (match === null) throw new TypeError(`"${text}" is not a range of versions`);
  const min = Number(match[1]);
  const max = match[2] === undefined ? Number.POSITIVE_INFINITY : Number(match[2]);
  if (max < min) throw new TypeError(`"${text}" is an empty range of versions`);
  return { min, max };
}

export function includesVersion(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max;
}
