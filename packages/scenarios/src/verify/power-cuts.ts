/*
 * Cuts the power of a disk that is written, and checks what the next process finds on it; needs root:
 *
 *   npm run verify -- power-cuts [--cuts 60] [--seed N] [--dry]
 */
import { whyNoLoopDisk } from "../real/loop-disk.ts";
import { powerCuts } from "../real/power-cuts.ts";
import { publish, runArguments } from "../real/run-arguments.ts";

const { count: cuts, seed, dry } = runArguments("cuts", 60);
const missing = whyNoLoopDisk();
if (missing !== undefined) throw new Error(missing);
const { crashes, inFlight, checkedOperations, crossed, seconds } = await powerCuts({ seed, cuts });
publish(
  {
    part: "power-cuts",
    seed,
    seconds,
    counts: { powerCuts: crashes, checkedOperations },
    details: { powerCutsInFlight: inFlight, crossed },
  },
  dry,
);
