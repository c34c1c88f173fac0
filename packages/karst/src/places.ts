import {
  type BucketRoot,
  MemoryBucket,
  memoryObjectStore,
  type ObjectStore,
  openRoot,
  parseRoot,
  retryingObjectStore,
  type Root,
} from "@karst/objectstore";
import { DiskTurns, MemoryBudget, type Runtime, SlabPool } from "@karst/runtime";
import { fileWal, memoryWal, type WalFactory, type WalLimits } from "@karst/wal";
import type { RootOptions } from "./api/engine.ts";
import { karstError } from "./errors.ts";

/** Where an engine keeps its objects and its WAL. */
export type Places =
  | { readonly tag: "memory"; readonly name: string | undefined }
  | { readonly tag: "disk"; readonly root: Root; readonly walDirectory: string };

/** What a place was opened as. */
export interface OpenPlaces {
  readonly objectStore: ObjectStore;
  readonly wal: WalFactory;
  /** The budget that the WAL's slabs are reserved from. */
  readonly memory: MemoryBudget;
  /** For people. */
  readonly root: string;
  readonly walLocation: string;
}

/** What bounds the memory of an opening. */
export interface PlaceLimits {
  readonly memoryBudgetBytes: number;
  readonly slabBytes: number;
  readonly wal: Partial<WalLimits>;
}

/** What a memory root keeps between two openings in one process. */
interface MemoryRoot {
  readonly bucket: MemoryBucket;
  readonly wal: WalFactory;
  readonly memory: MemoryBudget;
}

/** The named ones. The limits of a root's first opening are those of its WAL. */
const memoryRoots = new Map<string, MemoryRoot>();

/**
 * @throws KarstError `INVALID_ROOT`, `INVALID_OPTIONS` (`invalid`): a WAL that cannot go with the root.
 */
export function placesOf(options: RootOptions): Places {
  const root = parseRoot(options.root);
  const wal = options.wal === undefined ? undefined : parseWal(options.wal);
  if (root.scheme === "memory") {
    if (wal === undefined || wal.scheme === "memory") return { tag: "memory", name: root.name };
    throw karstError(
      "INVALID_OPTIONS",
      `root ${options.root} ends with the process, and the WAL ${options.wal} would be left without it: use root file:DIR, or no wal`,
    );
  }
  if (wal?.scheme === "memory") {
    throw karstError(
      "INVALID_OPTIONS",
      `a WAL in memory loses acknowledged records that are not yet in ${options.root}: use wal file:DIR, or root memory:`,
    );
  }
  if (wal !== undefined) return { tag: "disk", root, walDirectory: wal.directory };
  if (root.scheme === "file") return { tag: "disk", root, walDirectory: `${root.directory}/wal` };
  throw karstError(
    "INVALID_OPTIONS",
    `root ${options.root} has no disk of its own for the WAL: name one, such as wal file:./karst-wal`,
  );
}

/** @throws KarstError as `openRoot`. */
export async function openPlaces(
  places: Places,
  runtime: Runtime,
  limits: PlaceLimits,
): Promise<OpenPlaces> {
  return places.tag === "memory"
    ? openMemory(places.name, runtime, limits)
    : openDisk(places, runtime, limits);
}

async function openDisk(
  { root, walDirectory }: Extract<Places, { readonly tag: "disk" }>,
  runtime: Runtime,
  limits: PlaceLimits,
): Promise<OpenPlaces> {
  // Objects and WAL are on one disk mostly, and appends wait for the WAL.
  const turns = new DiskTurns();
  const opened = await openRoot(root, {
    files: runtime.files,
    random: runtime.random,
    pace: () => turns.turn(),
    bucket: () => new MemoryBucket(),
  });
  // Behind a network some requests fail now and then.
  const objectStore =
    root.scheme === "file"
      ? opened
      : retryingObjectStore(opened, { clock: runtime.clock, random: runtime.random });
  const { memory, slabs } = memoryOf(limits);
  return {
    objectStore,
    wal: fileWal({ runtime, slabs, turns, limits: limits.wal, directory: walDirectory }),
    memory,
    root: objectStore.location,
    walLocation: `file, in ${walDirectory}`,
  };
}

function openMemory(name: string | undefined, runtime: Runtime, limits: PlaceLimits): OpenPlaces {
  let root = name === undefined ? undefined : memoryRoots.get(name);
  if (root === undefined) {
    const { memory, slabs } = memoryOf(limits);
    const wal = memoryWal({ runtime, slabs, limits: limits.wal });
    root = { bucket: new MemoryBucket(), wal, memory };
    if (name !== undefined) memoryRoots.set(name, root);
  }
  const { bucket, wal, memory } = root;
  return {
    objectStore: memoryObjectStore({ bucket, ...(name === undefined ? {} : { name }) }),
    wal,
    memory,
    root: `memory:${name ?? ""} (gone with this process)`,
    walLocation: "memory (gone with this process)",
  };
}

function memoryOf(limits: PlaceLimits): {
  readonly memory: MemoryBudget;
  readonly slabs: SlabPool;
} {
  const memory = new MemoryBudget(limits.memoryBudgetBytes);
  return { memory, slabs: new SlabPool({ budget: memory, slabBytes: limits.slabBytes }) };
}

/** `file:DIR` or `memory:`. */
function parseWal(url: string): Exclude<Root, BucketRoot> {
  let place: Root;
  try {
    place = parseRoot(url);
  } catch (cause) {
    const why = (cause as Error).message.replace(/^root/, "wal");
    throw karstError("INVALID_OPTIONS", why, cause);
  }
  if (place.scheme === "file" || place.scheme === "memory") return place;
  throw karstError("INVALID_OPTIONS", `wal ${url}: a WAL is kept in a directory, file:DIR`);
}
