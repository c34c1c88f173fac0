import {
  faultyObjectStore,
  fileObjectStore,
  KEY_LENGTH_MAX,
  memoryObjectStore,
  meteredObjectStore,
  noFaults,
  type ObjectStore,
  prefixedObjectStore,
  retryingObjectStore,
} from "@karst/objectstore";
import { objectStoreConformance } from "@karst/objectstore/conformance";
import { noMetrics } from "@karst/runtime";
import { ManualClock, SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import { describe, test } from "vitest";

const random = new SeededRandom("wrappers");
const clock = new ManualClock();

const PREFIX = "some/prefix";

const STORES: Readonly<Record<string, () => ObjectStore>> = {
  // Wrappers that do nothing to a store leave it a store.
  wrapped: () => {
    const faultless = faultyObjectStore(memoryObjectStore(), { random, plan: noFaults });
    const retrying = retryingObjectStore(faultless, { clock, random });
    return meteredObjectStore(prefixedObjectStore(retrying, PREFIX), noMetrics);
  },
  "file over the simulated disk": () =>
    fileObjectStore({ files: new SimulatedDisk({ random }).files, random, directory: "/data" }),
};

for (const [name, create] of Object.entries(STORES)) {
  describe(`${name} store`, () => {
    const keyLengthMax = name === "wrapped" ? KEY_LENGTH_MAX - PREFIX.length - 1 : KEY_LENGTH_MAX;
    objectStoreConformance({ test, create, keyLengthMax });
  });
}
