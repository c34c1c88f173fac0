import { CANARY } from "./canary.ts";
import { DEFAULT_WORLDS, type Mutant } from "./mutant.ts";
import { type Hunt, type HuntOptions, huntMutant } from "./simulator.ts";

export interface HuntsOptions extends HuntOptions {
  readonly mutants: readonly Mutant[];
  /** Looked for at the same time. */
  readonly jobs: number;
}

/** What came of looking for mutants: plain data, for a result. */
export interface Hunts {
  readonly mutants: number;
  readonly caught: number;
  readonly medianSeeds: number;
  /** Ids of those that should have been caught. */
  readonly escaped: readonly string[];
  readonly hunts: readonly object[];
}

/**
 * Looks for every mutant, and prints what it finds.
 *
 * @throws Error where the canary is not found at once: what the simulator said of the others would mean nothing.
 */
export async function huntAll(options: HuntsOptions): Promise<Hunts> {
  const canary = await huntMutant(CANARY, options);
  print(CANARY, canary);
  if (!canary.caught || canary.seeds !== 1) throw new Error("the canary was not found at once");
  const hunts: Hunt[] = [];
  const waiting = options.mutants.entries();
  const next = async (): Promise<void> => {
    for (const [i, mutant] of waiting) {
      const hunt = await huntMutant(mutant, options);
      print(mutant, hunt);
      // In the order of the mutants, whichever ends first.
      hunts[i] = hunt;
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, next));
  const caught = hunts.filter((hunt) => hunt.caught);
  console.log(`${caught.length} of ${hunts.length} mutants caught`);
  return {
    mutants: hunts.length,
    caught: caught.length,
    medianSeeds: medianOf(caught.map(({ seeds = 0 }) => seeds)),
    escaped: hunts.flatMap((hunt) => (hunt.caught ? [] : [hunt.mutant])),
    hunts: hunts.map((hunt, i) => rowOf(options.mutants[i] as Mutant, hunt)),
  };
}

function print({ id, invariant }: Mutant, hunt: Hunt): void {
  const found = hunt.caught
    ? `${hunt.invariant ?? hunt.message?.slice(0, 100)} in ${hunt.world}, ${hunt.seeds} seeds, ${hunt.seconds.toFixed(1)} s`
    : `NOT CAUGHT in ${hunt.seconds.toFixed(1)} s${hunt.message === undefined ? "" : `: ${hunt.message}`}`;
  console.log(`${id.padEnd(40)} ${invariant.padEnd(5)} ${found}`);
}

function rowOf({ invariant: breaks, harm, worlds }: Mutant, hunt: Hunt): object {
  const { mutant: id, caught, world, seeds, seconds, message } = hunt;
  const caughtBy = caught ? (hunt.invariant ?? message) : undefined;
  const searched = caught ? [world] : (worlds ?? DEFAULT_WORLDS);
  const roundSeconds = Math.round(seconds * 10) / 10;
  return { id, breaks, harm, caught, caughtBy, seeds, worlds: searched, seconds: roundSeconds };
}

/** 0: of nothing. */
function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
