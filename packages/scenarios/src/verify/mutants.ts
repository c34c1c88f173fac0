// Looks for every planted bug with the simulator: node scripts/run.mjs verify mutants
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { CANARY } from "../mutants/canary.ts";
import { MUTANTS, mutantNamed } from "../mutants/list.ts";
import { DEFAULT_WORLDS, type Mutant } from "../mutants/mutant.ts";
import { type Hunt, huntMutant } from "../mutants/simulator.ts";
import { unitTestsOn } from "../mutants/unit-tests.ts";
import { appendProof } from "../proof/ledger.ts";
import { writeResult } from "../proof/results.ts";

const HELP = `verify mutants [--only ID]… [--seconds N] [--seed N] [--jobs N] [--dry] [--unit-tests]

  --only        this mutant; may be given several times
  --seconds     for each mutant in each family of worlds (default 60)
  --seed        the first seed of each (default 1)
  --jobs        mutants looked for at the same time (default: processors)
  --dry         writes no result and no row of the ledger; neither does --only
  --unit-tests  runs the tests of npm test without the simulator instead, which must not find them (not a result either)`;

interface Options {
  readonly mutants: readonly Mutant[];
  readonly seconds: number;
  readonly seed: number;
  readonly jobs: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: "1" },
      jobs: { type: "string", default: String(availableParallelism()) },
      dry: { type: "boolean", default: false },
      "unit-tests": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const options: Options = {
    mutants: values.only?.map(mutantNamed) ?? MUTANTS,
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    jobs: Number(values.jobs),
  };
  if (values["unit-tests"]) {
    await unitTests(options.mutants);
    return;
  }
  const begun = performance.now();
  const canary = await huntMutant(CANARY, options);
  print(CANARY, canary);
  if (!canary.caught || canary.seeds !== 1) {
    console.log(
      "The canary was not found at once: what the simulator says of the others would mean nothing.",
    );
    process.exitCode = 1;
    return;
  }
  const hunts = await huntAll(options);
  const caught = hunts.filter((hunt) => hunt.caught).length;
  console.log(`${caught} of ${hunts.length} mutants caught`);
  const escaped = hunts.some((hunt, i) => !hunt.caught && options.mutants[i]?.missed !== true);
  if (escaped) process.exitCode = 1;
  if (values.dry || values.only !== undefined) return;
  const seconds = (performance.now() - begun) / 1000;
  writeResult("mutants", resultOf(hunts));
  appendProof("mutants", { mutants: hunts.length, mutantsCaught: caught, seconds });
}

/** In the order of the mutants, whichever ends first. */
async function huntAll(options: Options): Promise<readonly Hunt[]> {
  const hunts: Hunt[] = [];
  const waiting = options.mutants.entries();
  const next = async (): Promise<void> => {
    for (const [i, mutant] of waiting) {
      const hunt = await huntMutant(mutant, options);
      print(mutant, hunt);
      hunts[i] = hunt;
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, next));
  return hunts;
}

function print({ id, invariant }: Mutant, hunt: Hunt): void {
  const found = hunt.caught
    ? `${hunt.invariant ?? hunt.message?.slice(0, 100)} in ${hunt.world}, ${hunt.seeds} seeds, ${hunt.seconds.toFixed(1)} s`
    : `NOT CAUGHT in ${hunt.seconds.toFixed(1)} s${hunt.message === undefined ? "" : `: ${hunt.message}`}`;
  console.log(`${id.padEnd(40)} ${invariant.padEnd(5)} ${found}`);
}

function resultOf(hunts: readonly Hunt[]): Readonly<Record<string, unknown>> {
  return {
    mutants: hunts.length,
    caught: hunts.filter((hunt) => hunt.caught).length,
    medianSeeds: medianOf(hunts.flatMap((hunt) => (hunt.caught ? [hunt.seeds ?? 0] : []))),
    hunts: hunts.map((hunt, i) => rowOf(MUTANTS[i] as Mutant, hunt)),
  };
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

async function unitTests(mutants: readonly Mutant[]): Promise<void> {
  for (const mutant of mutants) {
    const verdict = await unitTestsOn(mutant);
    if (verdict.tag === "caught") process.exitCode = 1;
    console.log(
      `${mutant.id.padEnd(40)} ${verdict.tag === "caught" ? `caught by ${verdict.by}` : "survives"}`,
    );
  }
}

await main();
