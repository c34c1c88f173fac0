import { isId } from "../packed/reader.ts";

/** Largest number in a key: sixteen digits hold every safe integer, and one value is kept free for `n + 1`. */
export const KEY_NUMBER_MAX: number = Number.MAX_SAFE_INTEGER - 1;

const DIGITS = 16;

/**
 * A number zero-padded to sixteen digits, so that key order is numeric order.
 *
 * @throws TypeError outside 0..`KEY_NUMBER_MAX`.
 */
export function formatNumber(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0 || value > KEY_NUMBER_MAX)
    throw new TypeError(`${value} is not an id`);
  return String(value).padStart(DIGITS, "0");
}

export function parseNumber(text: string): number | undefined {
  if (!/^[0-9]{16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= KEY_NUMBER_MAX ? value : undefined;
}

/** @throws TypeError unless the id is 32 lower-case hex digits. */
export function formatId(id: string): string {
  if (!isId(id)) throw new TypeError(`${id} is not an id of 32 hex digits`);
  return id;
}

export function parseId(text: string): string | undefined {
  return isId(text) ? text : undefined;
}

/** Passes a value within its bounds on. @throws TypeError. */
export function unsigned(
  value: number,
  what: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > max)
    throw new TypeError(`${what} ${value} is out of bounds`);
  return value;
}

/** The ordinal, from 1, of a name in a persisted list. @throws TypeError. */
export function ordinalOf<Name extends string>(names: readonly Name[], name: Name): number {
  const index = names.indexOf(name);
  if (index < 0) throw new TypeError(`${name} is none of ${names.join(", ")}`);
  return index + 1;
}
