/*
 * Lets every system call by which a short life changes its disk end the process, or fail, one after the other, cuts the power after
 * each where this process may (root), and checks what the next life finds; needs strace:
 *
 *   npm run verify -- system-calls [--stride 1] [--seed N] [--dry]
 */
import { canInject } from "../call-fault.ts";
import { CALL_KINDS, callSweep, type SweepCounts } from "../real/call-sweep.ts";
import { whyNoLoopDisk } from "../real/loop-disk.ts";
import { publish, runArguments } from "../real/run-arguments.ts";

const { count: stride, seed, dry } = runArguments("stride", 1);
if (!(await canInject()))
  throw new Error("system-call faults need strace, and the right to use it");
const powerCuts = whyNoLoopDisk() === undefined;
const sweeps: SweepCounts[] = [];
for (const level of ["topic", "partition"] as const)
  sweeps.push(await callSweep({ level, kinds: CALL_KINDS, stride, seed, powerCuts }));
const sum = (of: (counts: SweepCounts) => number): number =>
  sweeps.reduce((total, counts) => total + of(counts), 0);
publish(
  {
    part: "system-calls",
    seed,
    seconds: sum(({ seconds }) => seconds),
    counts: { checkedOperations: sum(({ checkedOperations }) => checkedOperations) },
    details: {
      faults: sum(({ cases }) => cases),
      followedByPowerCut: powerCuts,
      kinds: sweeps.flatMap(({ kinds }) => kinds),
    },
  },
  dry,
);
