import { failSync } from "../kafka/broker-steps.ts";
import type { PartitionModel } from "../kafka/topic-model.ts";
import type { Ending } from "../world/machine.ts";
import type { StepOf } from "../world/story.ts";
import type { Bystander } from "./bystander.ts";
import type { GroupsRun } from "./groups-run.ts";
import { ALONE, GROUPS } from "./limits.ts";

/** What is begun in it. */
export interface Surge {
  /** By members of a group. */
  readonly members: "commit" | "rejoin" | "leave" | "twin" | "dissolve" | "recreate";
  /** To the group without members: something is committed, an offset deleted, or the group. */
  readonly alone: "commit" | "delete-offset" | "delete-group";
}

/** How the broker ends: with its machine, or alone, because a sync fails; then the power goes. */
export type SurgeEnding = Ending | "failed-sync";

/** Until what was begun before has come to its end, if nothing is in its way. */
const CALM_MS = 60;
/** Until whoever joins again has done so. */
const SURGE_MS = 300;
/** Between two waves: what comes a moment later is written while that is being synced. */
const WAVES_MS: readonly number[] = [0, 1, 0, 1, 1];
/** Until the coordinator has loaded its groups, and told of them. */
const LOADED_MS: readonly number[] = [0, 5, 40];

/** Many things are written, and asked for while they are, and the broker ends in the middle of it: whatever was told must be so after it. */
export function surge(
  what: Surge,
  slot: number,
  calls: number,
  ending: SurgeEnding,
): StepOf<GroupsRun> {
  return async (run) => {
    const { world, machine } = run;
    await run.live();
    for (const one of run.bystanders) run.aside(one.read(ALONE, undefined));
    const partition = run.partition(slot);
    if (partition !== undefined) run.aside(bystander(run, 0).commitAlone(ALONE, partition));
    await world.clock.advance(CALM_MS);
    await run.live();
    if (ending === "failed-sync") await failSync("EIO", calls % 3)(run);
    else machine.crashAfter(calls, ending);
    const again = [beginAlone(run, what.alone, partition), begin(run, what.members, slot)];
    for (const [wave, waitMs] of WAVES_MS.entries()) {
      await world.clock.advance(waitMs);
      if (wave > 0) for (const goOn of again) goOn(bystander(run, wave));
      if (wave % 2 === 0) for (const member of run.members) member.commit(1);
      askAll(run, wave);
      run.aside(bystander(run, wave + 1).describe(GROUPS[0]));
    }
    await world.clock.advance(SURGE_MS);
    if (ending === "failed-sync") machine.crash("power-synced");
    await run.live();
    for (const [wave, waitMs] of LOADED_MS.entries()) {
      await world.clock.advance(waitMs);
      askAll(run, wave);
    }
  };
}

/** Everything that is committed is asked for, of each group on another connection: of one the answers come in order. */
function askAll(run: GroupsRun, wave: number): void {
  for (const [at, groupId] of [...GROUPS, ALONE].entries())
    run.aside(bystander(run, 3 * wave + at).read(groupId, undefined));
}

/** What goes on with it in each later wave, by somebody. */
type GoOn = (somebody: Bystander) => void;

const nothing: GoOn = () => undefined;

function begin(run: GroupsRun, what: Surge["members"], slot: number): GoOn {
  switch (what) {
    case "commit":
      return nothing;
    case "rejoin":
      run.member(slot)?.rejoin();
      return nothing;
    case "twin":
      run.twin(slot);
      return nothing;
    case "recreate":
      run.recreate(`t${slot % 2}`, 1 + (slot % 4));
      return nothing;
    case "leave": {
      const member = run.member(slot);
      if (member?.held === undefined) return nothing;
      const { held } = member;
      const { groupId } = member.options;
      member.leave();
      // As a commit of its that was late.
      return (somebody) => run.aside(somebody.commitAs(groupId, held));
    }
    case "dissolve": {
      const [groupId] = GROUPS;
      for (const member of run.members) if (member.options.groupId === groupId) member.leave();
      run.aside(bystander(run, 0).deleteGroup(groupId));
      return () => run.join(slot);
    }
  }
}

function beginAlone(
  run: GroupsRun,
  what: Surge["alone"],
  partition: PartitionModel | undefined,
): GoOn {
  if (partition === undefined) return nothing;
  switch (what) {
    case "commit":
      return (somebody) => run.aside(somebody.commitAlone(ALONE, partition));
    case "delete-offset":
      run.aside(bystander(run, 0).deleteOffset(ALONE, partition));
      return nothing;
    case "delete-group": {
      const deletion: GoOn = (somebody) => run.aside(somebody.deleteGroup(ALONE));
      deletion(bystander(run, 0));
      return deletion;
    }
  }
}

function bystander(run: GroupsRun, which: number): Bystander {
  return run.bystanders[which % run.bystanders.length] as Bystander;
}
