import assert from "node:assert/strict";
import {
  type Catalogue,
  type CatalogueLimits,
  type CommitOutcome,
  counterRow,
  openCatalogue,
  streamOwnerRow,
} from "@karst/core";
import { randomId } from "@karst/runtime";
import type { Process } from "../log/process.ts";
import type { Stage } from "./job.ts";

/** So small that a dozen commits make a snapshot of several chunks. */
const LIMITS: Partial<CatalogueLimits> = {
  snapshotEntriesMin: 4,
  snapshotEntriesMax: 8,
  snapshotEveryEntries: 4,
  chunkBytes: 256,
  sliceRows: 16,
  deleteKeysMax: 4,
};
const COMMITS_MAX = 64;
const STREAMS_PER_COMMIT = 5;
/** The longest that a snapshot takes, of a few dozen requests. */
const SNAPSHOT_MS = 2_000;

export interface AdminCommits {
  /** Commits until one more snapshot is there, and what it makes superfluous is gone; or until the process ends. */
  untilSnapshot(): Promise<void>;
  /** Everything committed is there; of what nobody was told about all or nothing; nothing else. */
  check(process: Process): Promise<void>;
}

/** An operator's process beside the engine's: a catalogue of its own over the same root, which makes streams. */
export async function adminCommits({ run, probe }: Stage): Promise<AdminCommits> {
  const process = await run.live();
  const { world } = run;
  const { runtime } = process.engine;
  const { store } = probe.surroundings;
  const opened = await world.until(
    process.life,
    openCatalogue({ objectStore: store, runtime, limits: LIMITS }),
  );
  assert.equal(opened.tag, "ok");
  const catalogue = (opened as { readonly value: Catalogue }).value;
  const written = (): number => world.metrics.value("karst_catalogue_written_snapshots");
  /** Streams that it has made: the first of each commit, in order. */
  const committed: number[] = [];
  let doubtful: number | undefined;

  const commit = async (): Promise<void> => {
    await catalogue.refresh();
    const counter = counterRow.get(catalogue, "streams");
    assert.ok(counter !== undefined);
    const first = counter.value.next;
    doubtful = first;
    const outcome: CommitOutcome = await catalogue.commit({
      id: randomId(runtime.random),
      require: [{ key: counter.key, revision: counter.revision }],
      put: [
        counterRow.put("streams", { next: first + STREAMS_PER_COMMIT }),
        ...Array.from({ length: STREAMS_PER_COMMIT }, (_, i) =>
          streamOwnerRow.put(first + i, { nodeId: undefined, streamEpoch: 0 }),
        ),
      ],
      delete: [],
    });
    assert.equal(outcome.tag, "ok");
    committed.push(first);
    doubtful = undefined;
  };

  return {
    untilSnapshot: async () => {
      const before = written();
      for (let commits = 0; written() === before; commits += 1) {
        if (process.life.isOver) return;
        assert.ok(commits < COMMITS_MAX, "no snapshot comes");
        const outcome = await world.until(process.life, commit());
        if (outcome.tag === "failed") throw outcome.error as Error;
        await world.clock.runDeferred();
      }
      await world.clock.advance(SNAPSHOT_MS);
    },
    check: async ({ engine, life }) => {
      // Another's commits are known to it once it has looked.
      assert.equal((await world.until(life, engine.catalogue.refresh())).tag, "ok");
      const has = (stream: number): boolean =>
        streamOwnerRow.get(engine.catalogue, stream) !== undefined;
      for (const first of committed)
        for (let i = 0; i < STREAMS_PER_COMMIT; i += 1) {
          world.tally.checked += 1;
          assert.ok(has(first + i), `stream ${first + i} was made, and is gone`);
        }
      if (doubtful === undefined) return;
      const made = Array.from({ length: STREAMS_PER_COMMIT }, (_, i) => has((doubtful ?? 0) + i));
      assert.ok(new Set(made).size === 1, `a commit was done in part: ${made.join(", ")}`);
    },
  };
}
