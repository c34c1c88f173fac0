import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Row } from "../dataset.ts";
import { Seeded } from "../seeded.ts";
import { type CombinationResult, runCombination } from "./combination-run.ts";
import { type BucketStore, type Combination, nameOf } from "./combinations.ts";
import type { Bucket } from "./stage.ts";

/** Waiting for sessions to end is most of a combination. */
const AT_ONCE = 3;

export interface MatrixOptions {
  readonly combinations: readonly Combination[];
  readonly seed: number;
  /** Of which each combination takes its own run. */
  readonly rows: readonly Row[];
  readonly rowsEach: number;
  readonly kills: number;
  readonly buckets: ReadonlyMap<BucketStore, Bucket>;
  readonly onResult?: (row: MatrixRow) => void;
}

export type MatrixRow = Combination & { readonly seconds: number } & (
    | (CombinationResult & {
        readonly lost: 0;
        readonly reordered: 0;
        readonly failure?: undefined;
      })
    | { readonly failure: string }
  );

/** Runs all of them, a few at once. @returns rows in the order of the combinations, also of those that failed. */
export async function runMatrix(options: MatrixOptions): Promise<MatrixRow[]> {
  const random = new Seeded(options.seed);
  const seeds = options.combinations.map(() => random.integer(0, 2 ** 31 - 1));
  const rows: MatrixRow[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < options.combinations.length) {
      const at = next++;
      const combination = options.combinations[at] as Combination;
      const row = await runOne(options, combination, seeds[at] ?? 0);
      rows[at] = row;
      options.onResult?.(row);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return rows;
}

/** What was written stays on the disk where it failed. */
async function runOne(
  options: MatrixOptions,
  combination: Combination,
  seed: number,
): Promise<MatrixRow> {
  const { rows, rowsEach, kills, buckets } = options;
  const beganMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - beganMs) / 1_000);
  const directory = await mkdtemp(join(tmpdir(), "karst-matrix-"));
  const from = new Seeded(seed).integer(0, rows.length - rowsEach);
  try {
    const result = await runCombination({
      combination,
      seed,
      rows: rows.slice(from, from + rowsEach),
      kills,
      directory,
      buckets,
    });
    await rm(directory, { recursive: true, force: true });
    return { ...combination, ...result, lost: 0, reordered: 0, seconds: seconds() };
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const failure = `${nameOf(combination)}, seed ${seed}, ${directory}: ${what}`;
    return { ...combination, failure, seconds: seconds() };
  }
}
