import { test } from "vitest";
import { enumerate } from "../../src/crash-points/enumerate.ts";
import { crashPointJobs } from "../../src/crash-points/jobs.ts";
import { report } from "./report.ts";

/** Another part, of another run, for each seed: `of` of them are all points. */
const seed = Number(process.env["KARST_SEED"] ?? 1);
const OF = 53;

for (const job of crashPointJobs)
  for (const store of ["memory", "file"] as const)
    for (const tempo of ["instant", "slow"] as const)
      test(`a crash at each call of a ${job.name} loses nothing (${store} store, ${tempo})`, async () => {
        const options = { seed, store, tempo, part: { index: seed, of: OF } };
        report(await enumerate(job, options), options);
      });
