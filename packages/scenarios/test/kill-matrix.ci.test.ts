import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "vitest";
// The built code: what is killed runs as a process, from `dist`.
import {
  hasBucket,
  isBucketStore,
  killMatrix,
  nameOf,
  openBuckets,
  type OpenBuckets,
  runMatrix,
  Seeded,
  vegaRows,
} from "../dist/index.js";
import { kcatIsMissing } from "./world.ts";

/** Printed with every run: set it to run one again. */
const seed = Number(process.env["KARST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const COUNT = 3;

/** Drawn without putting back; `npm run verify -- kill-matrix` runs them all. */
function drawn(): ReturnType<typeof killMatrix> {
  const random = new Seeded(seed);
  const left = killMatrix();
  return Array.from({ length: COUNT }, () =>
    left.splice(random.integer(0, left.length - 1), 1),
  ).flat();
}

describe(`kill matrix (seed ${seed})`, () => {
  const combinations = drawn();
  const rows = vegaRows();
  let buckets: OpenBuckets | undefined;

  beforeAll(async () => {
    if (hasBucket() && combinations.some(({ store }) => isBucketStore(store)))
      buckets = await openBuckets("chosen");
  }, 600_000);
  afterAll(async () => {
    await buckets?.end();
  });
  for (const [index, combination] of combinations.entries()) {
    const cannot =
      (combination.client === "kcat" && kcatIsMissing) ||
      (isBucketStore(combination.store) && !hasBucket());
    test.skipIf(cannot).concurrent(`written under kills: ${nameOf(combination)}`, async () => {
      const options = {
        combinations: [combination],
        seed: seed + index,
        rows,
        rowsEach: 5_000,
        kills: 2,
        buckets: buckets?.of ?? new Map(),
      };
      const [result] = await runMatrix(options);
      process.stdout.write(`${nameOf(combination)}: ${JSON.stringify(result)}\n`);
      assert.equal(result?.failure, undefined);
    });
  }
});
