import { inlineDevice } from "@karst/wal";
import { walConformance } from "@karst/wal/conformance";
import { describe, test } from "vitest";
import { diskCapabilities, DiskPlace } from "./disk-place.ts";

describe("file WAL by blocking calls in this thread", () => {
  walConformance({
    test,
    create: async (limits) => new DiskPlace(inlineDevice, limits),
    capabilities: diskCapabilities,
  });
});
