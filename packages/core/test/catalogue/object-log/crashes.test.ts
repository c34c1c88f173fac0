import assert from "node:assert/strict";
import { test } from "vitest";
import { SharedRoot, turns } from "../support/shared-root.ts";
import type { Around } from "../support/wrapped-store.ts";

const TINY = {
  snapshotEntriesMin: 2,
  snapshotEntriesMax: 3,
  snapshotEveryEntries: 1,
  chunkBytes: 1_024,
  recentTransactionsMax: 4,
};
const COMMITS = 9;

interface Run {
  readonly root: SharedRoot;
  /** Rows whose commit was acknowledged. */
  readonly acknowledged: ReadonlyMap<string, number>;
  readonly requests: number;
}

/** Opens, creates, commits through snapshots; dies around request number `crashAt`, which then has happened or not. */
async function runUntilCrash(crashAt: number, happens: "before" | "after"): Promise<Run> {
  const root = new SharedRoot();
  const acknowledged = new Map<string, number>();
  let requests = 0;
  let crash = (): void => undefined;
  const crashed = new Promise<void>((resolve) => {
    crash = resolve;
  });
  const around: Around = async (_request, pass) => {
    requests += 1;
    if (requests > crashAt) return new Promise(() => undefined);
    if (requests < crashAt) return pass();
    // What it would have answered, nobody hears.
    if (happens === "after") await pass().catch(() => undefined);
    crash();
    return new Promise(() => undefined);
  };
  const script = async (): Promise<void> => {
    const catalogue = await root.open(TINY, around);
    const filler = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`filler/${i}`, "x"]));
    for (let i = 0; i < COMMITS; i += 1) {
      const revision = await root.put(catalogue, {
        [`row/${i}`]: String(i),
        ...(i === 1 ? filler : {}),
      });
      acknowledged.set(`row/${i}`, revision);
      await turns(4);
    }
    await catalogue.close();
  };
  await Promise.race([script(), crashed]);
  return { root, acknowledged, requests };
}

async function check({ root, acknowledged }: Run): Promise<void> {
  const catalogue = await root.open(TINY);
  root.history.checkImage(catalogue);
  assert.equal(catalogue.revision, root.history.revision);
  for (const [key, revision] of acknowledged) assert.equal(catalogue.get(key)?.revision, revision);
  // It goes on as if nothing had been, through the next snapshots.
  for (let i = 0; i < 5; i += 1) {
    await root.put(catalogue, { [`after/${i}`]: "1" });
    await turns(4);
  }
  await catalogue.close();
  const again = await root.open(TINY);
  root.history.checkImage(again);
  await again.close();
}

test("a crash before or after any request of open, commit, snapshot and trim loses nothing acknowledged", async () => {
  const whole = await runUntilCrash(Number.POSITIVE_INFINITY, "before");
  assert.equal(whole.acknowledged.size, COMMITS);
  const { root, requests } = whole;
  assert(
    root.count("written_snapshots") >= 3 &&
      root.count("reused_chunks") > 0 &&
      root.count("deleted_objects") > 0,
  );
  await check(whole);
  const methods = new Set(root.requests.map((request) => request.method));
  assert.deepEqual(methods, new Set(["head", "get", "list", "putIfAbsent", "delete"]));
  for (let crashAt = 1; crashAt <= requests; crashAt += 1) {
    for (const happens of ["before", "after"] as const)
      await check(await runUntilCrash(crashAt, happens));
  }
});
