import { type FaultPlan, noFaults } from "@karst/objectstore";
import { type Clock, hasCode } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";
import { capture, wait } from "../world/wait.ts";
import { append } from "./appending.ts";
import type { Cluster } from "./cluster.ts";
import { trimOn } from "./load-steps.ts";
import { held, type Step, type Which } from "./step.ts";

const ENTRIES = "catalogue/log/";
/** Tries that the catalogue makes to write one entry. */
const PUTS = 8;
/** The longest of all that is on its way to a healthy store. */
const QUIET_MS = 100;

/** How a commit comes to be in doubt. */
export interface Doubt {
  /** After this time its first request takes effect, which was thought lost. */
  readonly lateMs: number;
  /** For so long all others are lost, too. */
  readonly untilMs: number;
  /** Nor can the store be reached by then, after the last try. */
  readonly isAway: boolean;
}

/** The first entry that is written from now on takes effect late, and no other one before the doubt's end. */
function inDoubt(clock: Clock, { lateMs, untilMs, isAway }: Doubt): FaultPlan {
  const endMs = clock.monotonicMs() + untilMs;
  let puts = 0;
  return ({ method, key }) => {
    if (clock.monotonicMs() >= endMs) return undefined;
    if (isAway && puts >= PUTS) return { tag: "unavailable" };
    if (method !== "putIfAbsent" || !key.startsWith(ENTRIES)) return undefined;
    puts += 1;
    return puts === 1 ? { tag: "late-effect", delayMs: lateMs } : { tag: "lost-request" };
  };
}

/** A node commits something, and hears for long only that it may have happened. */
export function doubtCommit(
  what: "trim" | "upload",
  [name, index]: Which,
  where: number,
  doubt: Doubt,
): Step {
  return async (cluster) => {
    const found = await held(cluster, 0, name, index);
    if (found === undefined) return;
    const [log, node] = found;
    for (let i = 0; i < 2; i += 1) {
      const id = `d${cluster.nextSerial()}`;
      append(cluster, node, log, { id, count: 1, bytes: 100, gap: 0, timestampMs: 0 });
    }
    await wait(cluster, node.process, node.process.settled, "done");
    await doubting(cluster, doubt, async () => {
      if (what === "trim") await trimOn(cluster, node, log, where, "no");
      else
        await wait(
          cluster,
          node.process,
          capture(() => node.process.engine.upload()),
          "no",
        );
    });
    // However it ended: the node goes on.
    await wait(cluster, node.process, node.process.engine.catalogue.refresh(), "done");
  };
}

/** A machine's node comes back, alone, and hears for long only that it may have opened. */
export function doubtOpening(machine: number, doubt: Doubt): Step {
  return async (cluster) => {
    const { world } = cluster;
    const invariants: Invariants = world.invariants;
    world.machines[machine]?.crash("kill");
    await world.clock.advance(QUIET_MS);
    // What the last process asked for must not come between.
    if ((world.faulty?.lateEffects ?? 0) > 0) return;
    await doubting(cluster, doubt, async () => {
      const { life, opening } = cluster.begins(machine);
      const outcome = await world.until(life, opening);
      invariants.check(
        "O5",
        outcome.tag !== "failed" || !hasCode(outcome.error, "NODE_CONTESTED"),
        () => `m${machine} opens its node alone, and takes itself for somebody else`,
      );
      await cluster.adopt(machine, outcome);
    });
  };
}

async function doubting(cluster: Cluster, doubt: Doubt, act: () => Promise<void>): Promise<void> {
  const { world, store } = cluster;
  world.faulted("commit in doubt");
  store.up();
  store.setPlan(inDoubt(world.clock, doubt));
  const endMs = world.clock.monotonicMs() + Math.max(doubt.untilMs, doubt.lateMs) + QUIET_MS;
  await act();
  await world.clock.advance(Math.max(0, endMs - world.clock.monotonicMs()));
  store.setPlan(noFaults);
  await cluster.audit();
  cluster.world.sometimes.add("commit-in-doubt");
}
