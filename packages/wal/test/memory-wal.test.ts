import { MemoryBudget, SlabPool } from "@karst/runtime";
import { simulatedRuntime } from "@karst/runtime/testing";
import { memoryWal } from "@karst/wal";
import { walConformance, type WalProcess } from "@karst/wal/conformance";
import { describe, test } from "vitest";

describe("memory WAL", () => {
  walConformance({
    test,
    create: async (limits) => {
      const runtime = simulatedRuntime({ seed: 1, autoDefer: true });
      const budget = new MemoryBudget(64 * 1024 * 1024);
      const slabs = new SlabPool({ budget, slabBytes: 16 * 1024, poison: true });
      const factory = memoryWal({ runtime, slabs, limits });
      // The WAL lives in the pool: what it keeps is not held by anyone who should have given it back.
      const next = (): WalProcess => ({ factory, slabs, heldBytes: () => 0 });
      return {
        start: next,
        advance: (ms) => runtime.clock.advance(ms),
        dispose: async () => undefined,
      };
    },
    capabilities: {
      kill: (place) => place.start(),
      rival: (place) => place.start(),
    },
  });
});
