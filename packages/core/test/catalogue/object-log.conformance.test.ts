import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  fileObjectStore,
  type ObjectStore,
  faultyObjectStore,
  type FaultPlan,
  MemoryBucket,
  memoryObjectStore,
  noFaults,
} from "@karst/objectstore";
import { simulatedRuntime } from "@karst/runtime/testing";
import { openCatalogue, type CatalogueLimits } from "@karst/core";
import { nodeRuntime } from "@karst/runtime/node";
import { describe, test } from "vitest";
import {
  catalogueConformance,
  type CatalogueWorld,
} from "../../src/catalogue/conformance/index.ts";

const UNREADABLE = { tag: "unavailable" } as const;

/** Nobody can see what became of a write. */
const blind =
  (write: "lost-answer" | "lost-request"): FaultPlan =>
  (call) => {
    if (call.method === "putIfAbsent") return { tag: write };
    return UNREADABLE;
  };

function world(limits: Partial<CatalogueLimits>): CatalogueWorld {
  const bucket = new MemoryBucket();
  const runtime = simulatedRuntime({ seed: 1, autoDefer: true });
  const objectStore = faultyObjectStore(memoryObjectStore({ bucket }), {
    random: runtime.random,
    plan: noFaults,
  });
  let opened = 0;
  return {
    open: () => {
      opened += 1;
      const own = { ...runtime, random: runtime.random.fork(`instance ${opened}`) };
      return openCatalogue({
        objectStore,
        runtime: own,
        create: true,
        limits: { putAttemptsMax: 1, ...limits },
      });
    },
    faults: {
      loseAnswers: () => objectStore.setPlan(blind("lost-answer")),
      loseRequests: () => objectStore.setPlan(blind("lost-request")),
      refuse: () => objectStore.setPlan(() => UNREADABLE),
      heal: () => objectStore.setPlan(noFaults),
    },
    dispose: () => objectStore.close(),
  };
}

describe("object log", () => {
  catalogueConformance({ test, create: () => world({}), faults: true });
});

describe("object log with a snapshot for every few entries", () => {
  const tiny = {
    snapshotEntriesMin: 2,
    snapshotEntriesMax: 4,
    snapshotEveryEntries: 2,
    chunkBytes: 100,
    watchHistoryMax: 8,
  };
  catalogueConformance({ test, create: () => world(tiny), faults: true });
});

describe("object log on files", () => {
  catalogueConformance({ test, create: () => fileWorld(), faults: false });
});

async function fileWorld(): Promise<CatalogueWorld> {
  const directory = await mkdtemp(join(tmpdir(), "karst-catalogue-"));
  const runtime = nodeRuntime();
  const stores: ObjectStore[] = [];
  return {
    // Each instance its own store, as each process has.
    open: () => {
      const objectStore = fileObjectStore({
        files: runtime.files,
        random: runtime.random,
        directory,
      });
      stores.push(objectStore);
      const limits = { snapshotEntriesMin: 4, snapshotEntriesMax: 4, snapshotEveryEntries: 2 };
      return openCatalogue({ objectStore, runtime, create: true, limits });
    },
    dispose: async () => {
      for (const store of stores) await store.close();
      await rm(directory, { recursive: true });
    },
  };
}
