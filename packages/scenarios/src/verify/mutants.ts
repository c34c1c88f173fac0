// Looks for every planted bug with the simulator: node scripts/run.mjs verify mutants
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { huntAll, type HuntsOptions } from "../mutants/hunts.ts";
import { MUTANTS, mutantNamed } from "../mutants/list.ts";
import type { Mutant } from "../mutants/mutant.ts";
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
  const options: HuntsOptions = {
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
  const { escaped, ...hunts } = await huntAll(options);
  if (escaped.length > 0) process.exitCode = 1;
  if (values.dry || values.only !== undefined) return;
  writeResult("mutants", hunts);
  const { mutants, caught: mutantsCaught } = hunts;
  appendProof("mutants", { mutants, mutantsCaught, seconds: (performance.now() - begun) / 1000 });
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
