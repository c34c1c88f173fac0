import { defineConfig } from "vitest/config";
import { plantedBug } from "./packages/scenarios/src/mutants/vite-plugin.ts";

// In-process tests read the workspace's sources, so that a test never runs stale output.
const conditions = ["@karst/source"];

// Three rings of checks: `npm test` (Node and git only), `.ci/run` (also the files named *.ci.test.ts, which may take minutes and
// need other tools), `npm run verify`. KARST_RING=ci selects the second ring's own files.
const ci = process.env["KARST_RING"] === "ci";

export default defineConfig({
  // A deliberate bug, where one is asked for: `npm run verify -- mutants --unit-tests`.
  plugins: [plantedBug(process.env["KARST_MUTANT"])],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ci
      ? ["packages/*/test/**/*.ci.test.ts", "scripts/**/*.ci.test.ts"]
      : ["packages/*/test/**/*.test.ts", "scripts/*.test.ts", "examples/test/**/*.test.ts"],
    exclude: ci ? ["**/node_modules/**"] : ["**/node_modules/**", "**/*.ci.test.ts"],
    testTimeout: ci ? 900_000 : 60_000,
    // Real processes and kills want the machine for themselves; the first ring takes all of it, where the default leaves a core idle.
    ...(ci ? {} : { maxWorkers: "100%" }),
    passWithNoTests: false,
  },
});
