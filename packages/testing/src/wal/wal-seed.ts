import { Invariants } from "../world/invariants.ts";
import { Sometimes } from "../world/sometimes.ts";
import type { DiskHash } from "../world/disk-hash.ts";
import type { SeedResult } from "../family.ts";
import { CrashStates } from "./crash-states.ts";
import { QuickRandom } from "./quick-random.ts";
import { drawSwarm, STEPS, type StepName, type Swarm } from "./swarm.ts";
import type { WalEnding } from "./wal-disk.ts";
import { WalWorld } from "./wal-world.ts";

const ENDINGS: readonly WalEnding[] = ["random", "random", "synced", "all"];

/**
 * Runs the WAL alone, in a world drawn from the seed. The story does not depend on `thoroughness`, which multiplies the crashes that
 * are tried on the way.
 *
 * @throws Error that says how to run it again.
 */
export async function walSeed(seed: number, thoroughness: number = 1): Promise<SeedResult> {
  const random = new QuickRandom(seed, 0x57414c);
  const drawn = drawSwarm(random.fork("swarm"));
  const swarm = { ...drawn, samplePercent: drawn.samplePercent * thoroughness };
  const invariants = new Invariants();
  const sometimes = new Sometimes();
  const states = new CrashStates(random.fork("states"), invariants, sometimes);
  const world = new WalWorld({
    seed,
    random: random.fork("world"),
    swarm,
    invariants,
    sometimes,
    states,
  });
  const story = random.fork("story");
  try {
    await openAnyway(world);
    for (let n = 0; n < swarm.steps; n += 1) {
      await step(world, story, drawStep(swarm, story));
      await world.checkStates();
      if (world.isOver) await reopen(world, story);
    }
    world.disk.heal();
    await world.proveAlive();
    await world.checkStates();
  } catch (error) {
    throw new Error(failure(seed, thoroughness, error, world), { cause: error });
  }
  world.say(`${states.seen.size} states, ${digest(states.seen)}`);
  return {
    seed,
    trace: world.trace.join("\n"),
    crashStates: states.seen,
    simulatedMs: world.elapsedMs,
    acknowledged: world.acknowledged,
    checked: world.checkedOperations + states.checkedFrames,
    faults: world.disk.faults,
    sometimes,
    invariants,
  };
}

function failure(seed: number, thoroughness: number, error: unknown, world: WalWorld): string {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    reason,
    `Run it again: KARST_SEED=${seed} KARST_THOROUGHNESS=${thoroughness} npx vitest run packages/testing/test/wal -t "one seed"`,
    ...world.trace.slice(-12),
  ].join("\n");
}

function drawStep(swarm: Swarm, random: QuickRandom): StepName {
  let left = random.integer(0, STEPS.reduce((sum, name) => sum + swarm.weights[name], 0) - 1);
  for (const name of STEPS) {
    left -= swarm.weights[name];
    if (left < 0) return name;
  }
  return "append";
}

async function step(world: WalWorld, random: QuickRandom, name: StepName): Promise<void> {
  const { swarm } = world;
  world.say(name);
  switch (name) {
    case "append":
      for (let n = random.integer(1, 6); n > 0; n -= 1) {
        world.load.append(random.integer(0, swarm.payloadMax));
        if (random.chance(30)) await world.turn();
      }
      if (random.chance(40)) world.load.appendAnywhere(random.integer(0, 200));
      return;
    case "burst":
      for (let n = random.integer(5, 25); n > 0; n -= 1) world.load.append(random.integer(0, 120));
      return;
    case "work":
      // As an owner does that uploads all the time: segments are filled, trimmed, and used again.
      for (let n = random.integer(2, 8); n > 0 && !world.isOver; n -= 1) {
        for (let m = 3; m > 0; m -= 1)
          world.load.append(random.integer(0, Math.min(swarm.payloadMax, 300)));
        await world.load.flush();
        await world.load.trimTo(1);
        await world.checkStates();
      }
      return;
    case "turn":
      return world.turn();
    case "advance":
      return world.advance(random.pick([1, 3, 10, 30, 100]));
    case "flush":
      return world.load.flush();
    case "trim":
      return world.load.trimTo(random.integer(0, 100) / 100, random.chance(60));
    case "read":
      return world.load.read(random.integer(0, 99) / 100);
    case "reopen":
      await world.close();
      return;
    case "abandon":
      await world.abandon();
      return;
    case "power":
      await world.end(random.pick(ENDINGS));
      return;
    case "kill":
      await world.end("kill");
      return;
    case "trap":
      world.disk.setTrap(random.integer(1, 120), random.chance(50) ? "kill" : random.pick(ENDINGS));
      return;
    case "usurp":
      await world.open();
      return;
    case "rival":
      world.disk.setRival(random.integer(1, 4));
      return;
    case "harm":
      if (swarm.harms.length > 0)
        world.disk.harm(
          random.pick(swarm.harms),
          random.integer(0, 10),
          random.chance(swarm.persistentPercent),
        );
      return;
    case "full":
      world.disk.fill();
      return;
    case "room":
      world.disk.makeRoom();
  }
}

/** The processes end, and the next one opens, at the latest when nothing is in its way. */
async function reopen(world: WalWorld, random: QuickRandom): Promise<void> {
  // The process may go on without its WAL, and open it again.
  if (random.chance(40) && (await world.reopenInPlace())) return;
  await world.end(random.chance(50) ? "kill" : random.pick(ENDINGS));
  for (let tries = 0; tries < 3; tries += 1) {
    if (await world.open()) return;
    if (random.chance(60)) await world.end(random.chance(60) ? "kill" : random.pick(ENDINGS));
  }
  world.disk.heal();
  await world.end(random.chance(50) ? "kill" : "random");
  await openAnyway(world);
}

async function openAnyway(world: WalWorld): Promise<void> {
  if (!(await world.open())) throw new Error("an unharmed world does not open");
}

function digest(hashes: ReadonlySet<DiskHash>): string {
  let sum = 0;
  for (const hash of hashes) sum = (sum * 31 + (hash % 1_000_003)) % 0x1f_ffff_ffff;
  return sum.toString(16);
}
