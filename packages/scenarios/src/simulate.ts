// Runs seeds of simulated worlds: node packages/scenarios/dist/simulate.js --family log --seed 1 --seeds 100
import { parseArgs } from "node:util";
import { FAMILIES, familyNamed } from "./simulation/families.ts";
import { runSeeds, type SeedsReport } from "./simulation/run-seeds.ts";

const HELP = `simulate [--family NAME] [--seed N] [--seeds COUNT] [--seconds MAX] [--twice] [--shrink]

  --family   one of ${FAMILIES.map(({ name }) => name).join(", ")} (default: each in turn)
  --seed     the first seed (default 1)
  --seeds    how many (default 100)
  --seconds  no further seed of a family is begun after that
  --twice    each seed is run again, and must give the same trace
  --shrink   what is left of a failing seed's story`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      family: { type: "string" },
      seed: { type: "string", default: "1" },
      seeds: { type: "string", default: "100" },
      seconds: { type: "string" },
      twice: { type: "boolean", default: false },
      shrink: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const families = values.family === undefined ? FAMILIES : [familyNamed(values.family)];
  for (const family of families) {
    const report = await runSeeds({
      family,
      first: integer("--seed", values.seed),
      count: integer("--seeds", values.seeds),
      twice: values.twice,
      ...(values.seconds !== undefined && { secondsMax: integer("--seconds", values.seconds) }),
    });
    console.log(summaryOf(report));
    for (const { seed, message } of report.failures) {
      console.log(`${family.name} seed ${seed} failed: ${message}`);
      console.log(
        `Again: node packages/scenarios/dist/simulate.js --family ${family.name} --seed ${seed} --seeds 1 --shrink`,
      );
      if (values.shrink && family.shrink !== undefined) console.log(await family.shrink(seed));
      process.exitCode = 1;
    }
    if (process.exitCode === 1) return;
  }
}

function summaryOf(report: SeedsReport): string {
  const { family, first, seeds, seconds, simulatedMs, countedMs, acknowledged } = report;
  const { checked, faults, crashStates } = report;
  const hours = (ms: number): string => (ms / 3_600_000).toFixed(2);
  return (
    `${family}: seeds ${first} to ${first + seeds - 1} in ${seconds.toFixed(1)} s: ${hours(simulatedMs)} simulated hours ` +
    `(${hours(countedMs)} under load), ${acknowledged} appends acknowledged, ${checked} operations checked, ` +
    `${faults} faults, ${crashStates.length} crash states`
  );
}

function integer(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`${option} ${text} is not a whole number`);
  return value;
}

await main();
