import { objectStoreError } from "./errors.ts";
import type { ByteRange, ObjectBody } from "./object-store.ts";

/** The parts of a body. @throws TypeError unless all are `Uint8Array`s. */
export function bodyParts(body: ObjectBody): readonly Uint8Array[] {
  const parts = body instanceof Uint8Array ? [body] : body;
  if (!Array.isArray(parts) || !parts.every((part) => part instanceof Uint8Array)) {
    throw new TypeError("a body is a Uint8Array or an array of them");
  }
  return parts;
}

export function bodyBytes(body: ObjectBody): number {
  return bodyParts(body).reduce((bytes, part) => bytes + part.length, 0);
}

/**
 * The bytes that a read returns.
 *
 * @throws KarstError `RANGE_NOT_SATISFIABLE` (`out_of_range`) unless 0 ≤ start < end ≤ bytes, all integers.
 */
export function resolveRange(key: string, range: ByteRange | undefined, bytes: number): ByteRange {
  if (range === undefined) return { start: 0, end: bytes };
  const { start, end } = range;
  if (
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(end) &&
    0 <= start &&
    start < end &&
    end <= bytes
  )
    return range;
  throw objectStoreError(
    "RANGE_NOT_SATISFIABLE",
    `[${start}, ${end}) of ${key}, which has ${bytes} bytes`,
  );
}
