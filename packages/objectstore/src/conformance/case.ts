import { equalBytes, isKarstError } from "@karst/runtime";
import assert from "node:assert/strict";
import type { ObjectInfo, ObjectStore } from "../object-store.ts";

/** One test of a fresh store. */
export interface Case {
  readonly name: string;
  readonly run: (store: ObjectStore) => Promise<void>;
}

/** Bytes that differ at every position a mix-up is likely to come from. */
export function patternOf(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = i * 31 + (i >>> 8) * 7 + (i >>> 16) * 3 + salt;
  return bytes;
}

/** `assert.deepEqual` takes seconds over megabytes, and fills the screen. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length, "length");
  if (equalBytes(actual, expected)) return;
  assert.fail(`the bytes differ first at ${expected.findIndex((byte, at) => actual[at] !== byte)}`);
}

/** Asserts that `call` rejects with this code, and with the kind that goes with it. */
export async function assertRejects(
  call: Promise<unknown>,
  code: string,
  kind: string,
): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(isKarstError(error), `expected ${code}, got ${String(error)}`);
    assert.deepEqual([error.code, error.kind], [code, kind], error.message);
    return true;
  });
}

export async function listed(
  store: ObjectStore,
  prefix: string,
  options?: { readonly startAfter?: string },
): Promise<readonly ObjectInfo[]> {
  const infos: ObjectInfo[] = [];
  for await (const info of store.list(prefix, options)) infos.push(info);
  return infos;
}

export async function listedKeys(
  store: ObjectStore,
  prefix: string,
  options?: { readonly startAfter?: string },
): Promise<readonly string[]> {
  return (await listed(store, prefix, options)).map((info) => info.key);
}

/** Those of the keys that the store can hold at once. */
export function heldTogether(store: ObjectStore, keys: readonly string[]): readonly string[] {
  if (store.capabilities.nestedKeys) return keys;
  return keys.filter((key) => !keys.some((other) => other.startsWith(`${key}/`)));
}

/** Creates small objects, a few at a time. */
export async function putAll(store: ObjectStore, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += 50) {
    await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, patternOf(3))));
  }
}
