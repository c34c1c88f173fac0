import { DEFAULT_LIMITS, type Limits } from "./limits.ts";

/** Shares of the memory budget that single holders may take at most. */
const SLAB_SHARE = 8;
const UPLOAD_SHARE = 8;
const UNUPLOADED_SHARE = 3;
const BLOCK_CACHE_SHARE = 4;

/**
 * The limits of an engine: what is given, and defaults that fit a smaller memory budget too.
 *
 * @throws TypeError on limits that are no positive integers, or that contradict each other.
 */
export function engineLimits(given: Partial<Limits> = {}): Limits {
  const budget = given.memoryBudgetBytes ?? DEFAULT_LIMITS.memoryBudgetBytes;
  const share = (name: keyof Limits, parts: number): number =>
    Math.min(DEFAULT_LIMITS[name], Math.floor(budget / parts));
  const unuploadedBytesMax =
    given.unuploadedBytesMax ?? share("unuploadedBytesMax", UNUPLOADED_SHARE);
  const limits: Limits = {
    ...DEFAULT_LIMITS,
    slabBytes: share("slabBytes", SLAB_SHARE),
    uploadBytes: Math.min(share("uploadBytes", UPLOAD_SHARE), unuploadedBytesMax),
    blockCacheBytes: share("blockCacheBytes", BLOCK_CACHE_SHARE),
    ...given,
    memoryBudgetBytes: budget,
    unuploadedBytesMax,
  };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new TypeError(`limit ${name} must be a positive integer, not ${value}`);
  }
  atMost(limits, "slabBytes", budget / SLAB_SHARE);
  atMost(limits, "uploadBytes", budget / UPLOAD_SHARE);
  atMost(limits, "uploadBytes", limits.unuploadedBytesMax);
  atMost(limits, "unuploadedBytesMax", budget / UNUPLOADED_SHARE);
  return limits;
}

function atMost(limits: Limits, name: keyof Limits, bound: number): void {
  if (limits[name] > bound)
    throw new TypeError(
      `limit ${name} is ${limits[name]}; with the others given it is at most ${Math.floor(bound)}`,
    );
}
