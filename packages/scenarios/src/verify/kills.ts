/*
 * Ends processes that append by SIGKILL, restarts them, and checks what they find:
 *
 *   npm run verify -- kills [--kills 1000] [--seed N] [--dry]
 */
import { killLoop } from "../real/kill-loop.ts";
import { publish, runArguments } from "../real/run-arguments.ts";

const IN_FLIGHT_SHARE_MIN = 0.9;

const { count: kills, seed, dry } = runArguments("kills", 1_000);
const { crashes, inFlight, checkedOperations, crossed, seconds } = await killLoop({ seed, kills });
if (inFlight < crashes * IN_FLIGHT_SHARE_MIN)
  throw new Error(`only ${inFlight} of ${crashes} kills met appends in flight`);
publish(
  {
    part: "kills",
    seed,
    seconds,
    counts: { kills: crashes, killsInFlight: inFlight, checkedOperations },
    details: { crossed },
  },
  dry,
);
