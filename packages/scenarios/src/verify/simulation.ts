// npm run verify -- simulation: seeds of every family of simulated worlds, and hours of the steady one.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { huntAll } from "../mutants/hunts.ts";
import { MUTANTS } from "../mutants/list.ts";
import { appendProof, readLedger } from "../proof/ledger.ts";
import { writeResult } from "../proof/results.ts";
import { FAMILIES, familyNamed } from "../simulation/families.ts";
import { merged, type SeedsReport } from "../simulation/run-seeds.ts";
import type { SeedsTask } from "../simulation/worker.ts";
import { SeedWorkers } from "../simulation/workers.ts";

const HELP = `npm run verify -- simulation [--seeds COUNT] [--hours HOURS] [--family NAME] [--dry]

  --seeds   of each family (default 200; of wal three times as many)
  --hours   of the steady family, so many simulated hours under load at least (default 0)
  --family  only this one, and no mutants; writes no result
  --dry     writes neither ledger nor result

Seeds begin after those that the ledger knows, so that a later run adds to an earlier one. Every mutant is looked for at the end.`;

/** For each mutant in each family of worlds. */
const HUNT_SECONDS = 60;
/** Worlds of the WAL alone are small: it takes more of them to go everywhere. */
const WAL_SEEDS_FACTOR = 3;
/** Seeds that a worker is given at a time. */
const TASK_SEEDS = 10;
/** Simulated hours between two lines of the ledger: what has run is kept when a long run is stopped. */
const HOURS_PER_ROW = 10;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    hours: { type: "string", default: "0" },
    family: { type: "string" },
    dry: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const workers = new SeedWorkers();
  const results: SeedsReport[] = [];
  try {
    const names =
      values.family === undefined
        ? FAMILIES.map(({ name }) => name)
        : [familyNamed(values.family).name];
    for (const name of names) {
      const seeds = Number(values.seeds) * (name === "wal" ? WAL_SEEDS_FACTOR : 1);
      const hours = name === "steady" ? Number(values.hours) : 0;
      results.push(await runFamily(workers, name, seeds, hours));
    }
  } finally {
    workers.close();
  }
  const failures = results.flatMap(({ family, failures: all }) =>
    all.map((one) => ({ family, ...one })),
  );
  let failed = failures.length > 0;
  if (values.family === undefined) failed = (await withMutants(results)) || failed;
  for (const { family, seed, message } of failures)
    console.log(`${family} seed ${seed}: ${message}`);
  if (failed) process.exitCode = 1;
}

/** Looks for the mutants, and writes down what came of everything; says whether one has escaped. */
async function withMutants(results: readonly SeedsReport[]): Promise<boolean> {
  const beganMs = performance.now();
  const jobs = availableParallelism();
  const hunts = await huntAll({ mutants: MUTANTS, seed: 1, seconds: HUNT_SECONDS, jobs });
  if (!values.dry) {
    const { mutants, caught } = hunts;
    const seconds = (performance.now() - beganMs) / 1_000;
    appendProof("mutants", { mutants, mutantsCaught: caught, seconds });
    writeResult("simulation", {
      families: results.map(({ crashStates, ...report }) => ({
        ...report,
        crashStates: crashStates.length,
      })),
      mutants: hunts,
    });
  }
  return hunts.escaped.length > 0;
}

/** Runs at least so many seeds, and until so many hours have been filled. */
async function runFamily(
  workers: SeedWorkers,
  name: string,
  seeds: number,
  hours: number,
): Promise<SeedsReport> {
  const reports: SeedsReport[] = [];
  let sinceRow: SeedsReport[] = [];
  const done = { hours: 0, hoursInRow: 0 };
  let next = firstFreeSeed(name);
  const end = next + seeds;
  let rowFrom = next;
  let rowBeganMs = performance.now();

  function* tasks(): Generator<SeedsTask, void> {
    while (next < end || done.hours < hours) {
      const count = Math.max(1, Math.min(TASK_SEEDS, hours > 0 ? TASK_SEEDS : end - next));
      const first = next;
      next += count;
      yield { family: name, first, count, twice: false };
    }
  }

  const writeRow = (): void => {
    if (sinceRow.length === 0) return;
    const row = merged(sinceRow);
    sinceRow = [];
    if (values.dry) return;
    appendProof(`simulation/${name}`, {
      seed: rowFrom,
      seconds: (performance.now() - rowBeganMs) / 1_000,
      seeds: row.seeds,
      simulatedHours: row.countedMs / 3_600_000,
      crashStates: row.crashStates.length,
      checkedOperations: row.checked,
    });
    rowFrom = next;
    rowBeganMs = performance.now();
  };

  await workers.run(tasks(), (report) => {
    reports.push(report);
    sinceRow.push(report);
    done.hours += report.countedMs / 3_600_000;
    done.hoursInRow += report.countedMs / 3_600_000;
    if (done.hoursInRow >= HOURS_PER_ROW) {
      done.hoursInRow = 0;
      writeRow();
    }
    const all = reports.reduce((sum, one) => sum + one.seeds, 0);
    process.stderr.write(`${name}: ${all} seeds, ${done.hours.toFixed(1)} hours under load\n`);
  });
  writeRow();
  const report = merged(reports);
  const missing = familyNamed(name).labels.filter((label) => (report.sometimes[label] ?? 0) === 0);
  return missing.length === 0
    ? report
    : {
        ...report,
        failures: [
          ...report.failures,
          { seed: report.first, message: `never met: ${missing.join(", ")}` },
        ],
      };
}

/** Above every seed that the ledger has of the family. */
function firstFreeSeed(name: string): number {
  return readLedger()
    .filter(({ part }) => part === `simulation/${name}`)
    .reduce((free, { seed = 0, seeds = 0 }) => Math.max(free, seed + seeds), 1_000_000);
}
