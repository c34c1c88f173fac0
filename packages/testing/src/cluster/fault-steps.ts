import { type FaultPlan, faultRates, noFaults } from "@karst/objectstore";
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
  return async ({ connection }) => connection.down(isDown);
}

const LOST = faultRates(
  {
    unavailable: 0.03,
    "lost-answer": 0.03,
    "lost-request": 0.03,
    "late-effect": 0.03,
    "stale-list": 0.1,
  },
  { min: 1, max: 8_000 },
);

const SPOILED = faultRates({ "flipped-bit": 0.1, truncated: 0.1, overlong: 0.1, "not-found": 0.1 });

/** Requests of one object that are left alone after one was spoiled: spoiled twice, it would be corrupt. */
const UNSPOILED = 10;

/** Requests and answers get lost, late, and spoiled on their way; listings show what was. @param unspoiled of each object, what is left of them. */
function unreliableConnection(unspoiled: Map<string, number>): FaultPlan {
  return (call, random) => {
    const lost = LOST(call, random);
    if (lost !== undefined || !call.key.startsWith("objects/")) return lost;
    const left = unspoiled.get(call.key) ?? 0;
    unspoiled.set(call.key, left - 1);
    if (left > 0) return undefined;
    const fault = SPOILED(call, random);
    unspoiled.set(call.key, fault === undefined ? 0 : UNSPOILED);
    return fault;
  };
}

/** The connection to the store is bad, or not any more. */
export function unreliable(on: boolean): Step {
  return async ({ world, connection, unspoiled }) => {
    if (on) world.faulted("unreliable store");
    connection.plan(on ? unreliableConnection(unspoiled) : noFaults);
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
