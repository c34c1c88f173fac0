/** Names of the files in a WAL's directory. */
export const IDENTITY_FILE = "identity";
export const LOCK_FILE = "lock";
const TEMPORARY = "temporary-";

export type FileName =
  | { readonly tag: "identity" }
  | { readonly tag: "lock" }
  | { readonly tag: "fence"; readonly epoch: number }
  | { readonly tag: "segment"; readonly epoch: number; readonly base: number }
  /** Left by a crash before the file got its name. */
  | { readonly tag: "temporary" }
  | { readonly tag: "unknown" };

export function fenceName(epoch: number): string {
  return `fence-${epoch}`;
}

/** Sorts as (epoch, base) does, for the eye. */
export function segmentName(epoch: number, base: number): string {
  return `segment-${String(epoch).padStart(6, "0")}-${String(base).padStart(16, "0")}`;
}

/** What a file is called until its content is durable. */
export function temporaryName(name: string): string {
  return `${TEMPORARY}${name}`;
}

/** What the name of a file says it is; only exactly what the functions above write is accepted. */
export function parseName(name: string): FileName {
  if (name === IDENTITY_FILE) return { tag: "identity" };
  if (name === LOCK_FILE) return { tag: "lock" };
  if (name.startsWith(TEMPORARY)) return { tag: "temporary" };
  const numbers = /^(?:fence-(\d+)|segment-(\d+)-(\d+))$/.exec(name);
  if (numbers === null) return { tag: "unknown" };
  if (numbers[1] !== undefined) {
    const epoch = Number(numbers[1]);
    return fenceName(epoch) === name && isEpoch(epoch)
      ? { tag: "fence", epoch }
      : { tag: "unknown" };
  }
  const epoch = Number(numbers[2]);
  const base = Number(numbers[3]);
  const written = segmentName(epoch, base) === name && isEpoch(epoch) && Number.isSafeInteger(base);
  return written ? { tag: "segment", epoch, base } : { tag: "unknown" };
}

function isEpoch(epoch: number): boolean {
  return Number.isSafeInteger(epoch) && epoch > 0;
}
