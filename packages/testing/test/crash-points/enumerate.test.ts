import { test } from "vitest";
import { enumerate, type EnumerateOptions } from "../../src/crash-points/enumerate.ts";
import { crashPointJobs } from "../../src/crash-points/jobs.ts";
import { report } from "./report.ts";

/** Every so manieth point; all of them with KARST_RUNS, for as many seeds. The parts are the same each time. */
const runs = Number(process.env["KARST_RUNS"] ?? 0);
const worlds: readonly (Pick<EnumerateOptions, "store" | "tempo"> & { readonly of: number })[] = [
  { store: "memory", tempo: "instant", of: 83 },
  { store: "file", tempo: "slow", of: 307 },
];
const wholly = (["memory", "file"] as const).flatMap((store) =>
  (["instant", "slow"] as const).map((tempo) => ({ store, tempo, of: 1 })),
);

for (const [index, job] of crashPointJobs.entries())
  for (const { store, tempo, of } of runs > 0 ? wholly : worlds)
    test(
      `a crash at each call of a ${job.name} loses nothing (${store} store, ${tempo})`,
      { timeout: 7_200_000 },
      async () => {
        for (let seed = 1; seed <= Math.max(runs, 1); seed += 1) {
          const options = { seed, store, tempo, part: { index: index * 5, of } };
          report(await enumerate(job, options), options);
        }
      },
    );
