import { objectStoreError } from "./errors.ts";
import { KEY_LENGTH_MAX, KEY_SEGMENT_LENGTH_MAX } from "./limits.ts";

const ALPHABET = /^[A-Za-z0-9._/-]*$/;

/** @throws KarstError `INVALID_KEY` (`invalid`) unless `key` is one that every store can hold. */
export function checkKey(key: string): void {
  const fault = typeof key === "string" ? faultOf(key, key.split("/")) : "it is not a string";
  if (fault !== undefined) throw invalid("key", key, fault);
}

/** @throws KarstError `INVALID_KEY` (`invalid`) unless `prefix` is empty or begins some valid key. */
export function checkPrefix(prefix: string): void {
  if (prefix === "") return;
  if (typeof prefix !== "string") throw invalid("prefix", prefix, "it is not a string");
  const segments = prefix.split("/");
  // The last one may go on: "a/" and "a/.." begin valid keys.
  const open = segments.pop() ?? "";
  const fault = faultOf(
    prefix,
    open === "" || open === "." || open === ".." ? segments : [...segments, open],
  );
  if (fault !== undefined) throw invalid("prefix", prefix, fault);
}

/** Whether `name` can be between two slashes of a key. */
export function isSegment(name: string): boolean {
  return faultOf(name, name.split("/")) === undefined && !name.includes("/");
}

function faultOf(key: string, segments: readonly string[]): string | undefined {
  if (key === "") return "it is empty";
  if (key.length > KEY_LENGTH_MAX)
    return `it has ${key.length} characters, at most ${KEY_LENGTH_MAX} are allowed`;
  if (!ALPHABET.test(key)) return "only A-Z, a-z, 0-9, '.', '_', '-' and '/' are allowed";
  for (const segment of segments) {
    if (segment === "") return "it has an empty segment";
    if (segment === "." || segment === "..") return `it has the segment '${segment}'`;
    if (segment.length > KEY_SEGMENT_LENGTH_MAX) {
      return `it has a segment of ${segment.length} characters, at most ${KEY_SEGMENT_LENGTH_MAX} are allowed`;
    }
  }
  return undefined;
}

function invalid(what: string, value: unknown, fault: string): Error {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : typeof value;
  return objectStoreError("INVALID_KEY", `${what} ${shown}: ${fault}`);
}

/** Whether no key that begins with `prefix` comes after `startAfter`. */
export function endsBefore(prefix: string, startAfter: string): boolean {
  return startAfter > prefix && !startAfter.startsWith(prefix);
}
