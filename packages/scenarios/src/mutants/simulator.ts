import { join } from "node:path";
import { outputOfNode } from "../child-output.ts";
import { DEFAULT_WORLDS, FAMILIES, type Mutant } from "./mutant.ts";
import { nodeArgsOf, ROOT } from "./node-args.ts";

/** More than any budget allows. */
const SEEDS_MAX = 1_000_000;
/** A seed that is under way when the budget ends is waited for this long: a mutant may hang it. */
const LAST_SEED_SECONDS = 60;

/** What an `InvariantViolation` begins with. */
const INVARIANT = new RegExp(String.raw`\b((?:${FAMILIES.join("|")})\d+) \(`);

export interface HuntOptions {
  /** First seed of each family of worlds. */
  readonly seed: number;
  /** Of wall time, for each family of worlds. */
  readonly seconds: number;
}

/** What the simulator says of a mutant. */
export interface Hunt {
  readonly mutant: string;
  readonly caught: boolean;
  /** The family of worlds that came last: where it was caught. */
  readonly world: string;
  /** Seeds run there, the catching one included; undefined: nobody knows. */
  readonly seeds?: number;
  readonly seconds: number;
  /** Number of the invariant that did not hold; undefined: `message` says what failed. */
  readonly invariant?: string;
  /** What the simulator printed of the failure, or why it is no failure that counts. */
  readonly message?: string;
}

/** Runs seed after seed with the mutant, until an invariant does not hold or the budget is used up. */
export async function huntMutant(mutant: Mutant, options: HuntOptions): Promise<Hunt> {
  const worlds = mutant.worlds ?? DEFAULT_WORLDS;
  let seconds = 0;
  let last: Hunt | undefined;
  for (const world of worlds) {
    const hunt = await huntIn(world, mutant, options);
    seconds += hunt.seconds;
    last = { ...hunt, seconds };
    if (hunt.caught) break;
  }
  if (last === undefined) throw new Error(`mutant ${mutant.id} names no family of worlds`);
  return last;
}

async function huntIn(world: string, mutant: Mutant, options: HuntOptions): Promise<Hunt> {
  const script = join(ROOT, "packages", "scenarios", "dist", "simulate.js");
  const args = [
    ...nodeArgsOf(mutant.id),
    script,
    `--family=${world}`,
    `--seed=${options.seed}`,
    `--seeds=${SEEDS_MAX}`,
    `--seconds=${Math.ceil(options.seconds)}`,
  ];
  const begun = performance.now();
  const timeout = (options.seconds + LAST_SEED_SECONDS) * 1000;
  const { code, output } = await outputOfNode(args, { cwd: ROOT, timeout });
  const seconds = (performance.now() - begun) / 1000;
  return { mutant: mutant.id, world, seconds, ...judged(code, output, options.seed) };
}

/**
 * What a run's end says: caught where a seed has failed, by an invariant or by an error that nobody expects, and in no other case.
 * That seeds without the mutant do not fail is for others to show.
 */
export function judged(
  code: number | null,
  output: string,
  firstSeed: number,
): Pick<Hunt, "caught" | "seeds" | "invariant" | "message"> {
  if (code === 0) return { caught: false };
  const failure = /seed (\d+) failed: (.*)/.exec(output);
  if (failure === null) {
    const message = output.trim().slice(-300);
    return { caught: false, message: code === null ? `it came to no end; ${message}` : message };
  }
  const [, seed, message = ""] = failure;
  const invariant = INVARIANT.exec(message)?.[1];
  return {
    caught: code === 1,
    seeds: Number(seed) - firstSeed + 1,
    ...(invariant !== undefined && { invariant }),
    message,
  };
}
