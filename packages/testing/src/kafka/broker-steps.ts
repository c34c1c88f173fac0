import { noFaults } from "@karst/objectstore";
import { isKarstError } from "@karst/runtime";
import type { Ending } from "../world/machine.ts";
import type { StepOf } from "../world/story.ts";
import { lossyConnection } from "../world/unreliable-connection.ts";
import type { BrokerRun } from "./broker-run.ts";
import { WAL_DIRECTORY } from "./limits.ts";

/** What can happen to any broker, whoever its clients are. */
type Step = StepOf<BrokerRun>;

export function pass(ms: number): Step {
  return ({ world }) => world.clock.advance(ms);
}

/** Nothing but what takes no time. */
export const turn: Step = ({ world }) => world.clock.runDeferred();

export const start: Step = async (run) => {
  await run.live();
};

export const close: Step = (run) => run.close();

export function crash(ending: Ending): Step {
  return async ({ machine }) => machine.crash(ending);
}

export function crashAfter(calls: number, ending: Ending): Step {
  return async ({ machine }) => machine.crashAfter(calls, ending);
}

/** Connections are cut: one, or all. */
export function cut(which: number | "all"): Step {
  return async (run) => {
    run.world.faulted("cut");
    const { connections } = run;
    if (which === "all") run.net.cut();
    else connections[which % Math.max(connections.length, 1)]?.cut();
  };
}

/** A connection is cut when so many bytes more have come: to the broker, or to one client. */
export function cutInside(bytes: number, client: number | "broker"): Step {
  return async (run) => {
    run.world.faulted("cut inside");
    if (client === "broker") run.cutAfter(bytes);
    else run.connections[client % Math.max(run.connections.length, 1)]?.cut(bytes);
  };
}

/** A client does not read for a while. */
export function stall(client: number, ms: number): Step {
  return async (run) => {
    run.connections[client % Math.max(run.connections.length, 1)]?.stall(ms);
  };
}

export const upload: Step = async (run) => {
  const process = await run.live();
  const outcome = await run.world.until(process.life, process.engine.upload());
  if (outcome.tag === "failed") tolerate(outcome.error);
};

/** The object store cannot be reached, or can be again. */
export function outage(down: boolean): Step {
  return async ({ world, machine }) => {
    if (world.faulty === undefined) machine.breakStore(down);
    else if (down) world.faulty.down();
    else world.faulty.up();
  };
}

/** Requests to the store, and its answers, get lost, or come late. */
export function unreliable(on: boolean): Step {
  return async ({ world }) => {
    world.faulty?.setPlan(on ? lossyConnection : noFaults);
  };
}

/** One of the next syncs of the WAL fails. */
export function failSync(effect: "lost-sync" | "EIO", after: number): Step {
  return async ({ world, machine: { disk } }) => {
    world.faulted(`sync ${effect}`);
    disk.fault({ on: "datasync", path: (path) => path.startsWith(WAL_DIRECTORY), effect, after });
  };
}

/** No file can grow, or all can again. */
export function fill(full: boolean): Step {
  return async ({ world, machine: { disk } }) => {
    if (full) world.faulted("disk full");
    disk.capacityBytes = full ? disk.usedBytes : Infinity;
  };
}

export function skew(ms: number): Step {
  return async ({ world }) => world.skewWall(ms);
}

/** Whatever else something rejects with is a defect. */
export function tolerate(error: unknown): void {
  if (!isKarstError(error, "unavailable", "indeterminate", "closed", "fenced", "not_found"))
    throw error as Error;
}
