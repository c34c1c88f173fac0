import assert from "node:assert/strict";
import type { GroupMember } from "./group-member.ts";
import type { GroupsRun } from "./groups-run.ts";
import {
  ALONE,
  GROUPS,
  RETENTION_MS,
  STABLE_WITHIN_MS,
  SUBSCRIPTIONS,
  SWEEP_MS,
} from "./limits.ts";

/** After the longest pause between two tries of anything, and the longest patience with a client. */
const RECOVERED_MS = 20_000;
const ROUND_MS = 100;
const ROUNDS_MAX = 600;
/** Not long enough for offsets to expire. */
const YOUNG_MS = 0.5 * RETENTION_MS;
/** Long enough for them to expire, if they could, and to be looked for. */
const AGED_MS = 1.2 * RETENTION_MS;

/**
 * Ends a run: faults stop. Then everything that was produced is in, the groups become stable, also after a last crash, and have read
 * everything; what was committed is there, after retention while there are members, after a crash, after a clean end; and goes when
 * everybody has left.
 */
export async function finish(run: GroupsRun): Promise<void> {
  const { world, machine } = run;
  world.heal();
  run.cutAfter(Infinity);
  await run.live();
  const healedAt = run.now();
  await world.clock.advance(RECOVERED_MS);
  for (const group of run.groups) group.over(healedAt);
  await run.live();
  for (let slot = 0; slot < run.options.members; slot += 1) run.join(slot);
  await comesToRest(run, "what was produced is not in", () => areSent(run));
  await becomesStable(run);

  // One that dies with the broker must be missed after it.
  run.member(0)?.kill();
  machine.crash("power");
  await becomesStable(run);
  await readEverything(run);
  for (const member of run.members) member.commit(1);
  run.healed = true;
  await ages(run, AGED_MS);
  await readAll(run);

  run.healed = false;
  machine.crash("power-synced");
  await run.live();
  await readAll(run);
  await becomesStable(run);
  await readEverything(run);
  for (const member of run.members) member.leave();
  // They have been there for longer than retention, and nobody has for a moment.
  await ages(run, 2 * SWEEP_MS);
  await readAll(run);
  await run.close();
  await ages(run, YOUNG_MS);
  await readAll(run);
  await ages(run, AGED_MS);
  await readAll(run);
  for (const group of run.groups) group.check();
  for (const bystander of run.bystanders) bystander.close();
  for (const producer of run.producers) producer.stop();
  await run.close();
  run.check();
}

/** The topics stay as they are, and the producers have nothing left. */
function areSent(run: GroupsRun): boolean {
  return !run.isRecreating && run.producers.every(({ isQuiet }) => isQuiet);
}

/** The members get to the end of all partitions, and no group has skipped anything. */
async function readEverything(run: GroupsRun): Promise<void> {
  await comesToRest(run, "members do not get to the end", () =>
    run.members.every(({ isAtEnd }) => isAtEnd),
  );
  for (const { held, options } of run.members)
    for (const partition of held?.partitions ?? [])
      run.group(options.groupId).offsets.checkRead(partition);
}

/** Lets time pass, with a broker there, until it is so. */
async function comesToRest(run: GroupsRun, what: string, isSo: () => boolean): Promise<void> {
  for (let rounds = 0; !isSo(); rounds += 1) {
    run.world.invariants.check("W12", rounds < ROUNDS_MAX, what);
    await run.live();
    await run.world.clock.advance(ROUND_MS);
    run.check();
  }
}

/** With a broker there, and nothing wrong: within a bounded time everybody who fits in has partitions, and none is left over. */
async function becomesStable(run: GroupsRun): Promise<void> {
  const { world } = run;
  await run.live();
  const startMs = world.clock.monotonicMs();
  for (;;) {
    const missing = await unstable(run);
    if (missing === undefined) break;
    const tookMs = world.clock.monotonicMs() - startMs;
    run.world.invariants.check(
      "CG6",
      tookMs < STABLE_WITHIN_MS,
      () => `${missing} after ${tookMs} ms`,
    );
    await world.clock.advance(ROUND_MS);
    run.check();
    assert.ok(run.current?.works === true, "nothing is wrong, and the broker has failed");
  }
}

/** What is not as it should be. */
async function unstable(run: GroupsRun): Promise<string | undefined> {
  for (const groupId of GROUPS) {
    const members = run.members.filter(({ options }) => options.groupId === groupId);
    const wrong = splitOf(run, groupId, members);
    if (wrong !== undefined) return `${groupId}: ${wrong}`;
    const ids = members.flatMap(({ held }) => (held === undefined ? [] : [held.memberId]));
    const described = await told(run, run.bystanders[0]?.describe(groupId));
    const empty = described !== undefined && described.members.length === 0;
    if (ids.length === 0 && empty) continue;
    if (described?.groupState !== "Stable")
      return `${groupId} is ${described?.groupState ?? "not told of"}`;
    const known = described.members.map(({ memberId }) => memberId);
    if (!sameNames(known, ids))
      return `${groupId} has the members ${known.join()}, not ${ids.join()}`;
  }
  return undefined;
}

function splitOf(
  run: GroupsRun,
  groupId: string,
  members: readonly GroupMember[],
): string | undefined {
  const outside = members.find(({ isSettled }) => !isSettled);
  if (outside !== undefined) return `${outside.options.name} is outside`;
  if (members.length === 0) return undefined;
  const held = members.flatMap((member) => (member.held === undefined ? [] : [member.held]));
  const room = run.options.groupMembersMax;
  if (held.length < Math.min(room, members.length)) return `${held.length} members are in`;
  if (new Set(held.map(({ generation }) => generation)).size !== 1)
    return "members are in different generations";
  const partitions = held.flatMap((one) => one.partitions);
  const topics = SUBSCRIPTIONS.get(groupId)?.flatMap((name) => run.topic(name) ?? []) ?? [];
  const all = topics.flatMap((topic) => topic.partitions);
  if (partitions.length !== all.length || !all.every((one) => partitions.includes(one)))
    return `${partitions.length} partitions are assigned`;
  return undefined;
}

async function ages(run: GroupsRun, forMs: number): Promise<void> {
  for (let ms = 0; ms < forMs; ms += 1_000) {
    await run.world.clock.advance(1_000);
    run.check();
  }
}

/** Somebody reads everything. */
async function readAll(run: GroupsRun): Promise<void> {
  await run.live();
  for (const groupId of [...GROUPS, ALONE]) {
    for (let rounds = 0; ; rounds += 1) {
      run.world.invariants.check("W12", rounds < ROUNDS_MAX, "offsets are not told");
      if ((await told(run, run.bystanders[0]?.read(groupId, undefined))) === true) break;
      await run.world.clock.advance(ROUND_MS);
      run.check();
    }
  }
}

/** Lets time pass until it is answered. */
async function told<T>(run: GroupsRun, asked: Promise<T> | undefined): Promise<T | undefined> {
  const process = await run.live();
  if (asked === undefined) return undefined;
  const outcome = await run.world.until(process.life, asked);
  if (outcome.tag === "failed") throw outcome.error as Error;
  return outcome.tag === "ok" ? outcome.value : undefined;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join() === b.toSorted().join();
}
