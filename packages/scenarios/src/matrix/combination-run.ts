import assert from "node:assert/strict";
import type { Row } from "../dataset.ts";
import { type GroupReading, readByGroup } from "../groups/group-reading.ts";
import { killRun } from "../kill-run.ts";
import { Seeded } from "../seeded.ts";
import { type BucketStore, type Combination, isBucketStore, nameOf } from "./combinations.ts";
import { type Bucket, openStage } from "./stage.ts";

/** What was seen; that nothing was lost and nothing reordered is asserted. */
export interface CombinationResult {
  /** Over a bucket: what its server is. */
  readonly server?: string;
  readonly rows: number;
  /** Of the writing side: deaths, or cuts. */
  readonly kills: number;
  /** Rows that were in flight at one of them. */
  readonly inFlightAtKill: number;
  /** Where a broker was written to. */
  readonly uploads?: number;
  readonly acknowledged: number;
  readonly records: number;
  /** Rows that were written again after a kill met them. */
  readonly duplicates: number;
  readonly delivered: GroupReading["delivered"];
  readonly repeated: number;
  readonly seed: number;
}

/**
 * Writes rows while what they go to is killed, and has a group read them of which a member is killed.
 *
 * @throws AssertionError from `verify` and `readByGroup`, or where batches are compressed otherwise than they should.
 */
export async function runCombination(options: {
  readonly combination: Combination;
  readonly seed: number;
  readonly rows: readonly Row[];
  readonly kills: number;
  /** Empty. */
  readonly directory: string;
  readonly buckets: ReadonlyMap<BucketStore, Bucket>;
}): Promise<CombinationResult> {
  const { combination, seed, rows, directory, buckets } = options;
  const topic = "rows";
  const stage = await openStage({ combination, topic, directory, buckets });
  try {
    const group: { reading?: GroupReading } = {};
    const written = await killRun({
      seed,
      rows,
      plans: [
        {
          ...stage.writer,
          topic,
          idempotent: combination.idempotent === "yes",
          compression: combination.codec,
        },
      ],
      bootstrap: stage.bootstrap,
      victim: stage.victim,
      kills: options.kills,
      readBack: async () => {
        const bootstrap = await stage.readers();
        group.reading = await readByGroup({ bootstrap, topic, random: new Seeded(seed + 1) });
        return group.reading.rows;
      },
    });
    assert.ok(group.reading !== undefined);
    const { kills, inFlightAtKill, acknowledged, records, duplicates } = written;
    const uploads = stage.uploads();
    const { codecs, delivered, repeated } = group.reading;
    const expected = combination.codec === "none" ? [] : [combination.codec];
    assert.deepEqual(codecs, expected, `codecs of ${nameOf(combination)}`);
    assert.equal(acknowledged, rows.length);
    assert.equal(kills, options.kills);
    assert.ok(uploads !== 0, "nothing was uploaded");
    const server = isBucketStore(combination.store)
      ? buckets.get(combination.store)?.server
      : undefined;
    return {
      ...(server === undefined ? {} : { server }),
      rows: rows.length,
      kills,
      inFlightAtKill,
      ...(uploads === undefined ? {} : { uploads }),
      acknowledged,
      records,
      duplicates,
      delivered,
      repeated,
      seed,
    };
  } finally {
    await stage.end();
  }
}
