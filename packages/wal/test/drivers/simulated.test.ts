import { walConformance } from "@karst/wal/conformance";
import { describe, test } from "vitest";
import { simulatedCapabilities, SimulatedPlace } from "../simulated-place.ts";

describe("file WAL on a simulated disk", () => {
  walConformance({
    test,
    create: async (limits) => new SimulatedPlace(limits),
    capabilities: simulatedCapabilities,
  });
});
