import type { Ending } from "../world/machine.ts";
import type { StepOf } from "../world/story.ts";
import type { Bystander } from "./bystander.ts";
import { GROUPS, type GroupsRun } from "./groups-run.ts";

type Step = StepOf<GroupsRun>;

/** Until whoever joins again has done so, if nothing is in its way. */
const SURGE_MS = 300;
const WAVES_MS: readonly number[] = [0, 1, 1];

/** A process begins where there is none. */
export function join(slot: number): Step {
  return async (run) => run.join(slot);
}

/** A process begins, and takes the instance id of another that goes on. */
export function twin(slot: number): Step {
  return async (run) => run.twin(slot);
}

/** Everybody commits, or one. */
export function commit(slot: number | "all", times: number): Step {
  return async (run) => {
    if (slot !== "all") run.member(slot)?.commit(times);
    else for (const member of run.members) member.commit(times);
  };
}

/** What a group's log is written for. */
export type Surge = "commit" | "rejoin" | "leave" | "twin" | "dissolve";

/** Many things are written, and read while they are, and the broker ends in the middle of it. */
export function surge(what: Surge, slot: number, calls: number, ending: Ending): Step {
  return async (run) => {
    const { world, machine } = run;
    await run.live();
    await world.clock.runDeferred();
    machine.crashAfter(calls, ending);
    if (what === "rejoin") run.member(slot)?.rejoin();
    if (what === "leave") run.member(slot)?.leave();
    if (what === "twin") run.twin(slot);
    if (what === "dissolve") endGroup(run, GROUPS[0]);
    // What comes a moment later is written while that is being synced.
    for (const waitMs of WAVES_MS) {
      await world.clock.advance(waitMs);
      if (what === "dissolve") run.join(slot);
      for (const member of run.members) member.commit(1);
      for (const one of run.bystanders)
        for (const groupId of GROUPS) run.aside(one.read(groupId, undefined));
      run.aside(bystander(run, 1).describe(GROUPS[0]));
    }
    await world.clock.advance(SURGE_MS);
    await run.live();
  };
}

/** Everybody leaves a group, and it is deleted. */
function endGroup(run: GroupsRun, groupId: string): void {
  for (const member of run.members) if (member.options.groupId === groupId) member.leave();
  run.aside(bystander(run, 0).deleteGroup(groupId));
}

export function leave(slot: number): Step {
  return async (run) => run.member(slot)?.leave();
}

export function kill(slot: number): Step {
  return async (run) => {
    run.world.faulted("member killed");
    run.member(slot)?.kill();
  };
}

export function pause(slot: number, ms: number): Step {
  return async (run) => {
    run.world.faulted("member paused");
    run.member(slot)?.pause(ms);
  };
}

export function rejoin(slot: number): Step {
  return async (run) => run.member(slot)?.rejoin();
}

/** An administrator removes whoever has an instance id. */
export function remove(slot: number): Step {
  return async (run) => {
    const instance = run.instanceOf(slot);
    if (instance !== undefined)
      run.aside(bystander(run, slot).remove(instance.groupId, instance.instanceId));
  };
}

export function read(groupId: string, partition: number | "all"): Step {
  return async (run) => {
    const partitions = partition === "all" ? undefined : [partition % run.options.partitions];
    run.aside(bystander(run, 0).read(groupId, partitions));
  };
}

export function commitAlone(groupId: string, partition: number): Step {
  return async (run) =>
    run.aside(bystander(run, 1).commitAlone(groupId, partition % run.options.partitions));
}

export function forge(groupId: string, partition: number): Step {
  return async (run) =>
    run.aside(bystander(run, 1).forge(groupId, partition % run.options.partitions));
}

export function deleteGroup(groupId: string): Step {
  return async (run) => run.aside(bystander(run, 0).deleteGroup(groupId));
}

/** Everybody leaves a group, and it is deleted at once. */
export function dissolve(groupId: string): Step {
  return async (run) => {
    for (const member of run.members) if (member.options.groupId === groupId) member.leave();
    // Until they have.
    await run.world.clock.advance(5);
    run.aside(bystander(run, 0).deleteGroup(groupId));
  };
}

export function deleteOffset(groupId: string, partition: number): Step {
  return async (run) =>
    run.aside(bystander(run, 0).deleteOffset(groupId, partition % run.options.partitions));
}

export function describe(groupId: string): Step {
  return async (run) => run.aside(bystander(run, 0).describe(groupId));
}

export function list(): Step {
  return async (run) => run.aside(bystander(run, 1).list());
}

/** All wall clocks jump. */
export function skew(ms: number): Step {
  return async (run) => {
    run.world.skewWall(ms);
    for (const group of run.groups) group.skewed();
  };
}

function bystander(run: GroupsRun, which: number): Bystander {
  return run.bystanders[which % run.bystanders.length] as Bystander;
}
