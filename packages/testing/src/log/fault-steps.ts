import { noFaults } from "@karst/objectstore";
import { STORE_DIRECTORY } from "../world/machine.ts";
import { lossyConnection, spoilingConnection } from "../world/unreliable-connection.ts";
import { DIRECTORY } from "./limits.ts";
import type { Step } from "./step.ts";

/** The wall clock jumps, to so much before or after the time that it began with. */
export function skew(ms: number): Step {
  return async ({ world }) => world.skewWall(ms);
}

/** The object store cannot be reached, or can be again. */
export function outage(down: boolean): Step {
  return async ({ world, machine }) => {
    if (world.faulty === undefined) machine.breakStore(down);
    else if (down) world.faulty.down();
    else world.faulty.up();
  };
}

/** The connection to the store, or its disk, is bad, or not any more. */
export function unreliable(on: boolean): Step {
  return async ({ world, machine: { disk }, unspoiled }) => {
    if (on) world.faulted("unreliable store");
    world.faulty?.setPlan(on ? spoilingConnection(lossyConnection, unspoiled) : noFaults);
    if (world.faulty === undefined && on) {
      const path = (one: string): boolean => one.startsWith(STORE_DIRECTORY);
      disk.fault({
        on: ["datasync", "write", "link", "open"],
        path,
        effect: "EIO",
        times: 2,
        probability: 0.3,
      });
      disk.fault({ on: "datasync", path, effect: "lost-sync", probability: 0.3 });
    }
  };
}

/** One of the next syncs of the WAL fails. */
export function failSync(effect: "lost-sync" | "EIO", after: number): Step {
  return async ({ world, machine: { disk } }) => {
    world.faulted(`sync ${effect}`);
    disk.fault({ on: "datasync", path: (path) => path.startsWith(DIRECTORY), effect, after });
  };
}

/** One of the next things done to the names of the WAL's files fails. */
export function failNames(
  operation: "rename" | "remove" | "syncDirectory" | "open" | "close" | "list",
  after: number,
): Step {
  return async ({ world, machine: { disk } }) => {
    world.faulted(`${operation} fails`);
    disk.fault({
      on: operation,
      path: (path) => path.startsWith(DIRECTORY),
      effect: "EIO",
      after,
    });
  };
}

/** No file can grow, or all can again. */
export function fill(full: boolean): Step {
  return async ({ world, machine: { disk } }) => {
    if (full) world.faulted("disk full");
    disk.capacityBytes = full ? disk.usedBytes : Infinity;
  };
}

/** Others take all memory but so much, for so long. */
export function squeeze(leftBytes: number, ms: number): Step {
  return async (run) => {
    const { memory } = await run.live();
    const bytes = Math.max(0, memory.freeBytes - leftBytes);
    if (!memory.tryReserve(bytes)) return;
    run.world.faulted("memory squeezed");
    run.world.clock.setTimer(ms, () => memory.release(bytes));
  };
}
