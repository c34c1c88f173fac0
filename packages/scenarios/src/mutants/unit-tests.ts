import { join } from "node:path";
import { outputOfNode } from "../child-output.ts";
import type { Mutant } from "./mutant.ts";
import { nodeArgsOf, ROOT } from "./node-args.ts";

/** Tests that are the simulator. */
const SIMULATOR = "packages/testing/**";

const STOP_AFTER_MS = 600_000;

export type UnitTestsVerdict =
  | { readonly tag: "survived" }
  /** A mutant like that proves nothing of the simulator. */
  | { readonly tag: "caught"; readonly by: string };

/**
 * Runs the tests of `npm test` that have to do with the mutant's file, up to the first that fails: those in the same process read
 * the mutated source, processes that they start the mutated build.
 */
export async function unitTestsOn(mutant: Mutant): Promise<UnitTestsVerdict> {
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "related", mutant.file, "--run", "--bail", "1", "--no-color"];
  args.push("--exclude", SIMULATOR);
  const { code, output } = await outputOfNode(args, {
    cwd: ROOT,
    env: {
      ...process.env,
      KARST_MUTANT: mutant.id,
      KARST_RING: "",
      NODE_OPTIONS: nodeArgsOf(mutant.id).join(" "),
    },
    timeout: STOP_AFTER_MS,
  });
  if (code === 0) return { tag: "survived" };
  if (code === null) return { tag: "caught", by: "nothing came to an end" };
  return { tag: "caught", by: /^ *FAIL +(.+)$/m.exec(output)?.[1] ?? output.trim().slice(-300) };
}
