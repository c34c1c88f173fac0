import type { ObjectStore } from "@karst/objectstore";
import { randomId, type Runtime } from "@karst/runtime";
import { coreError } from "../errors.ts";
import type { Catalogue } from "./catalogue.ts";
import { type CatalogueLimits, DEFAULT_CATALOGUE_LIMITS } from "./limits.ts";
import { catalogueMetrics } from "./object-log/catalogue-metrics.ts";
import { LogStore } from "./object-log/log-store.ts";
import { LogTail } from "./object-log/log-tail.ts";
import {
  CATALOGUE_PREFIX,
  entryKey,
  LOG_PREFIX,
  manifestKey,
  SNAPSHOTS_PREFIX,
} from "./object-log/object-keys.ts";
import { ObjectLogCatalogue } from "./object-log/object-log-catalogue.ts";
import { Snapshotter } from "./object-log/snapshotter.ts";
import { encodeTransaction } from "./object-log/transaction-codec.ts";
import { ROOT_FEATURES, ROOT_FORMAT_VERSION, rootRow } from "./rows/root-row.ts";

export interface OpenCatalogueOptions {
  /** The root's. It is not closed with the catalogue. Wrap it in `retryingObjectStore` where it can be unavailable for moments. */
  readonly objectStore: ObjectStore;
  readonly runtime: Runtime;
  readonly limits?: Partial<CatalogueLimits>;
  /** Create the root where there is none. */
  readonly create?: boolean;
}

/** Entries asked for at once at the start, so that a missing one is seen by the presence of those after it. */
const FIRST_READ_ENTRIES = 4;

/** Times that a listing may show more of the log than has been read, while others write. */
const LISTING_ATTEMPTS = 16;

/**
 * Opens the catalogue of a root: the newest snapshot and the entries after it. Of any number of processes that create the same
 * root at once, all open the one root that comes of it.
 *
 * @throws KarstError `CATALOGUE_NOT_FOUND` (`not_found`): no root here, and `create` is not set. `CATALOGUE_CORRUPT`,
 * `CATALOGUE_VERSION` (`corrupt`), naming the object and having changed nothing. What the store rejects with.
 */
export async function openCatalogue(options: OpenCatalogueOptions): Promise<Catalogue> {
  const { runtime } = options;
  const limits: CatalogueLimits = { ...DEFAULT_CATALOGUE_LIMITS, ...options.limits };
  const metrics = catalogueMetrics(runtime.metrics);
  const store = new LogStore(options.objectStore, runtime, limits);
  const tail = new LogTail({ store, runtime, limits, metrics });
  await tail.start();
  await readWhole(store, tail);
  if (tail.image.revision === 0) {
    if (options.create !== true)
      throw coreError("CATALOGUE_NOT_FOUND", `${store.location} has no catalogue`);
    await createRoot(store, tail, runtime);
  }
  const closing = new AbortController();
  const snapshotter = new Snapshotter({ store, runtime, limits, metrics, signal: closing.signal });
  return new ObjectLogCatalogue({ tail, snapshotter, closing, limits, metrics, log: runtime.log });
}

/** Catches up, and looks in the listings for signs that what seems to be the end is a hole. */
async function readWhole(store: LogStore, tail: LogTail): Promise<void> {
  for (let attempt = 1; attempt <= LISTING_ATTEMPTS; attempt += 1) {
    await tail.catchUp(FIRST_READ_ENTRIES);
    const { revision } = tail.image;
    const ordinal = tail.snapshot?.ordinal ?? 0;
    const beyondLog = await last(
      store,
      LOG_PREFIX,
      revision === 0 ? undefined : entryKey(revision),
    );
    const beyondSnapshots = await last(
      store,
      SNAPSHOTS_PREFIX,
      ordinal === 0 ? undefined : manifestKey(ordinal),
    );
    if (beyondLog === undefined && beyondSnapshots === undefined) return;
    await tail.catchUp(FIRST_READ_ENTRIES);
    // Shown by the listing, and still there, and not reached although it was there before: something between is missing.
    const now = { revision: tail.image.revision, ordinal: tail.snapshot?.ordinal ?? 0 };
    if (
      beyondSnapshots !== undefined &&
      beyondSnapshots > now.ordinal &&
      (await store.manifest(beyondSnapshots)) !== undefined
    ) {
      throw coreError(
        "CATALOGUE_CORRUPT",
        `${manifestKey(now.ordinal + 1)}: missing below the newest snapshot`,
      );
    }
    if (
      beyondLog !== undefined &&
      beyondLog > now.revision &&
      (await store.entry(beyondLog)) !== undefined
    ) {
      throw coreError(
        "CATALOGUE_CORRUPT",
        `${entryKey(now.revision + 1)}: missing below the end of the log`,
      );
    }
  }
}

async function last(
  store: LogStore,
  prefix: string,
  startAfter: string | undefined,
): Promise<number | undefined> {
  let found: number | undefined;
  for await (const { number } of store.list(prefix, startAfter)) found = number;
  return found;
}

async function createRoot(store: LogStore, tail: LogTail, runtime: Runtime): Promise<void> {
  for await (const { key } of store.list(CATALOGUE_PREFIX)) {
    // Chunks alone are what an interrupted snapshot leaves; but that had a log.
    await tail.catchUp(FIRST_READ_ENTRIES);
    if (tail.image.revision > 0) return;
    throw coreError("CATALOGUE_CORRUPT", `${entryKey(1)}: missing, though ${key} exists`);
  }
  const root = {
    rootId: randomId(runtime.random),
    formatVersion: ROOT_FORMAT_VERSION,
    features: ROOT_FEATURES,
    createdMs: runtime.clock.wallMs(),
  };
  const transaction = {
    id: randomId(runtime.random),
    require: [rootRow.unchanged("root", undefined)],
    put: [rootRow.put("root", root)],
    delete: [],
  };
  const outcome = await tail.create([encodeTransaction(transaction)]);
  if (outcome.tag === "unavailable") throw outcome.error;
  if (outcome.tag === "created") return;
  // Another's root, or perhaps this one: whichever it is has the first slot.
  await tail.catchUp(FIRST_READ_ENTRIES);
  if (tail.image.revision > 0) return;
  throw outcome.tag === "unknown"
    ? outcome.cause
    : coreError("CATALOGUE_CORRUPT", `${entryKey(1)}: taken, and missing`);
}
