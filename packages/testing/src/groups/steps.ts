import type { StepOf } from "../world/story.ts";
import type { Bystander } from "./bystander.ts";
import type { GroupsRun } from "./groups-run.ts";

type Step = StepOf<GroupsRun>;

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
    const partitions = partition === "all" ? undefined : [run.partition(partition)];
    run.aside(
      bystander(run, 0).read(
        groupId,
        partitions?.filter((one) => one !== undefined),
      ),
    );
  };
}

export function commitAlone(groupId: string, partition: number): Step {
  return async (run) => {
    const model = run.partition(partition);
    if (model !== undefined) run.aside(bystander(run, 1).commitAlone(groupId, model));
  };
}

export function forge(groupId: string, partition: number): Step {
  return async (run) => {
    const model = run.partition(partition);
    if (model !== undefined) run.aside(bystander(run, 1).forge(groupId, model));
  };
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
  return async (run) => {
    const model = run.partition(partition);
    if (model !== undefined) run.aside(bystander(run, 0).deleteOffset(groupId, model));
  };
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
