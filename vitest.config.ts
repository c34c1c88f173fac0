import { defineConfig } from "vitest/config";

// In-process tests read the workspace's sources, so that a test never runs stale output.
const conditions = ["@karst/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "scripts/*.test.ts", "examples/**/*.test.ts"],
    testTimeout: 60_000,
    passWithNoTests: false,
  },
});
