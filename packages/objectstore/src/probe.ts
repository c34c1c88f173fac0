import { equalBytes, hasCode, isKarstError, type Random, randomId } from "@karst/runtime";
import { objectStoreError } from "./errors.ts";
import { PROBE_RACERS } from "./limits.ts";
import type { ObjectStore } from "./object-store.ts";

/** Where the probe's objects are while it runs; what an interrupted one leaves may be deleted at any time. */
const PROBE_PREFIX = "probe";

/**
 * Tries, on fresh keys, what safety rests on: conditional creates, ranges, lists and deletes that do what they say. Leaves
 * nothing behind. Some servers that speak S3 ignore the condition of a create: on them two writers would both win.
 *
 * @throws KarstError `STORE_UNFIT` (`invalid`) naming all that the store got wrong; what the store itself rejects with, of
 *   kind `unavailable` or `indeterminate`, says nothing of its fitness and passes through.
 */
export async function probeObjectStore(store: ObjectStore, random: Random): Promise<void> {
  const prefix = `${PROBE_PREFIX}/${randomId(random)}`;
  const keys = [`${prefix}/create`, `${prefix}/race`] as const;
  const faults: string[] = [];
  try {
    for (const step of [conditionalCreate, race, ranges, lists, deletes]) {
      faults.push(...(await step({ store, random, prefix, create: keys[0], race: keys[1] })));
    }
  } finally {
    await store.delete(keys).catch((error: unknown) => {
      // A few stray bytes under the probe's own prefix hurt nobody, and the first error says more.
      if (!isKarstError(error)) throw error;
    });
  }
  if (faults.length > 0) {
    throw objectStoreError(
      "STORE_UNFIT",
      `${store.location} cannot hold a root: ${faults.join("; ")}`,
    );
  }
}

interface Subject {
  readonly store: ObjectStore;
  readonly random: Random;
  readonly prefix: string;
  readonly create: string;
  readonly race: string;
}

/** What the store got wrong. */
type Step = (subject: Subject) => Promise<readonly string[]>;

const conditionalCreate: Step = async ({ store, random, create }) => {
  const mine = random.bytes(64);
  const first = await store.putIfAbsent(create, mine);
  if (first !== "created") return ["a conditional create of a fresh key said that it exists"];
  const second = await store.putIfAbsent(create, random.bytes(64));
  const kept = await readOf(store, create);
  return [
    ...(second === "created"
      ? ["a second conditional create of a key succeeded too (the condition is ignored)"]
      : []),
    ...(kept === undefined ? ["an object could not be read after it was created"] : []),
    ...(kept !== undefined && !equalBytes(kept, mine)
      ? ["a created object does not have the bytes of its creator"]
      : []),
  ];
};

const race: Step = async (subject) => {
  const bodies = Array.from({ length: PROBE_RACERS }, () => subject.random.bytes(64));
  const answers = await Promise.all(
    bodies.map((body) => subject.store.putIfAbsent(subject.race, body)),
  );
  const winners = bodies.filter((_body, index) => answers[index] === "created");
  if (winners.length !== 1)
    return [`of ${PROBE_RACERS} conditional creates at the same time ${winners.length} succeeded`];
  const kept = await readOf(subject.store, subject.race);
  return winners.some((winner) => kept !== undefined && equalBytes(kept, winner))
    ? []
    : ["of several conditional creates at the same time the object has not the winner's bytes"];
};

const ranges: Step = async ({ store, create }) => {
  const whole = await readOf(store, create);
  const part = await readOf(store, create, { start: 3, end: 17 });
  const info = await store.head(create);
  return [
    ...(whole === undefined || part === undefined || !equalBytes(part, whole.subarray(3, 17))
      ? ["a range read gave other bytes"]
      : []),
    ...(info === undefined || info.bytes !== whole?.length ? ["head gave another size"] : []),
  ];
};

const lists: Step = async ({ store, prefix, create, race: other }) => {
  const keys = await keysOf(store, prefix);
  return keys.join(" ") === `${create} ${other}`
    ? []
    : [`a list of two new objects gave ${JSON.stringify(keys)}`];
};

const deletes: Step = async ({ store, prefix, create, race: other }) => {
  await store.delete([create, other]);
  const there =
    (await keysOf(store, prefix)).length > 0 || (await store.head(create)) !== undefined;
  return there ? ["deleted objects are still there"] : [];
};

async function readOf(
  store: ObjectStore,
  key: string,
  range?: { readonly start: number; readonly end: number },
): Promise<Uint8Array | undefined> {
  try {
    return await store.get(key, range === undefined ? {} : { range });
  } catch (error) {
    if (hasCode(error, "OBJECT_NOT_FOUND", "RANGE_NOT_SATISFIABLE")) return undefined;
    throw error;
  }
}

async function keysOf(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const info of store.list(`${prefix}/`)) keys.push(info.key);
  return keys;
}
