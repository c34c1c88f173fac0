import { noFaults } from "@karst/objectstore";
import { spoilingConnection, staleConnection } from "../world/unreliable-connection.ts";
import { DIRECTORY } from "../log/limits.ts";
import type { Step } from "./step.ts";

/** The wall clock jumps, to so much before or after the time that it began with. */
export function skew(ms: number): Step {
  return async ({ world }) => world.skewWall(ms);
}

export function pass(ms: number): Step {
  return ({ world }) => world.clock.advance(ms);
}

/** The object store cannot be reached, or can be again. */
export function outage(isDown: boolean): Step {
  return async ({ store }) => (isDown ? store.down() : store.up());
}

/** The connection to the store is bad, or not any more. */
export function unreliable(on: boolean): Step {
  return async ({ world, store, unspoiled }) => {
    if (on) world.faulted("unreliable store");
    store.setPlan(on ? spoilingConnection(staleConnection, unspoiled) : noFaults);
  };
}

/** One of the next syncs of a machine's WAL fails. */
export function failSync(machine: number, effect: "lost-sync" | "EIO", after: number): Step {
  return async ({ world }) => {
    world.faulted(`sync ${effect}`);
    const { disk } = world.machines[machine] ?? world.machine;
    disk.fault({ on: "datasync", path: (path) => path.startsWith(DIRECTORY), effect, after });
  };
}
