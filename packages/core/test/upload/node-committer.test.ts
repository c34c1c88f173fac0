import assert from "node:assert/strict";
import {
  type FaultyObjectStore,
  faultyObjectStore,
  type FaultPlan,
  memoryObjectStore,
  MemoryBucket,
  noFaults,
} from "@karst/objectstore";
import { isKarstError, randomId } from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { beforeEach, test } from "vitest";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { nodeRow, type NodeRow } from "../../src/catalogue/rows/node-row.ts";
import { streamStartRow } from "../../src/catalogue/rows/stream-start-row.ts";
import { coreError } from "../../src/errors.ts";
import type { Draft } from "../../src/upload/draft.ts";
import { NodeCommitter } from "../../src/upload/node-committer.ts";

const NODE = "a".repeat(32);

let runtime: SimulatedRuntime;
let bucket: MemoryBucket;
let store: FaultyObjectStore;
let catalogue: Catalogue;
let abort: AbortController;
let failures: Error[];
let committer: NodeCommitter;

const row: NodeRow = {
  epoch: 1,
  state: { tag: "open" },
  wals: [],
  lastTx: "f".repeat(32),
  decidedSeq: 0,
};

beforeEach(async () => {
  runtime = simulatedRuntime({ seed: 1, autoDefer: true });
  bucket = new MemoryBucket();
  store = faultyObjectStore(memoryObjectStore({ bucket }), {
    random: runtime.random.fork("faults"),
    plan: noFaults,
    clock: runtime.clock,
  });
  catalogue = await openCatalogue({ objectStore: store, runtime, create: true });
  const outcome = await catalogue.commit({
    id: randomId(runtime.random),
    require: [],
    put: [nodeRow.put(NODE, row)],
    delete: [],
  });
  assert.ok(outcome.tag === "ok");
  abort = new AbortController();
  failures = [];
  committer = new NodeCommitter({
    catalogue,
    runtime,
    nodeId: NODE,
    revision: outcome.revision,
    signal: abort.signal,
    onFailed: (error) => failures.push(error),
  });
});

/** Sets a stream's start, whatever it was. */
const setStart =
  (streamId: number, offset: number) =>
  (draft: Draft): number => {
    draft.require(streamStartRow, streamId);
    draft.put(streamStartRow, streamId, { offset, deadBefore: offset });
    return offset;
  };

const startOf = (streamId: number): number | undefined =>
  streamStartRow.get(catalogue, streamId)?.value.offset;

/** Somebody else's view of the same root, over a store without faults. */
async function secondCatalogue(): Promise<Catalogue> {
  return openCatalogue({ objectStore: memoryObjectStore({ bucket }), runtime: runtime.restart() });
}

test("contributions of one turn share a transaction, each seeing those before it", async () => {
  const before = catalogue.revision;
  const seen: (number | undefined)[] = [];
  const results = await Promise.all([
    committer.commit(setStart(1, 10), { patient: false }),
    committer.commit(
      (draft) => {
        seen.push(draft.read(streamStartRow, 1)?.offset);
        return setStart(1, 20)(draft);
      },
      { patient: false },
    ),
    committer.commit(setStart(2, 5), { patient: true }),
  ]);
  assert.deepEqual(results, [10, 20, 5]);
  assert.deepEqual(seen, [10]);
  assert.equal(catalogue.revision, before + 1);
  assert.deepEqual([startOf(1), startOf(2)], [20, 5]);
});

test("every transaction rewrites the node's record with its own id", async () => {
  const ids = new Set([nodeRow.get(catalogue, NODE)?.value.lastTx]);
  for (let i = 0; i < 3; i += 1) {
    await committer.commit(setStart(1, i), { patient: false });
    ids.add(nodeRow.get(catalogue, NODE)?.value.lastTx);
  }
  assert.equal(ids.size, 4);
});

test("a contribution that throws is left out, with all that it wrote, and alone", async () => {
  const refused = committer.commit(
    (draft) => {
      setStart(1, 99)(draft);
      draft.node = { ...draft.node, decidedSeq: 99 };
      throw coreError("STREAM_FENCED", "no");
    },
    { patient: false },
  );
  const other = committer.commit(setStart(2, 5), { patient: false });
  await assert.rejects(refused, { code: "STREAM_FENCED" });
  await other;
  assert.deepEqual([startOf(1), startOf(2)], [undefined, 5]);
  assert.equal(nodeRow.get(catalogue, NODE)?.value.decidedSeq, 0);
});

test("what changes nothing commits nothing", async () => {
  const before = catalogue.revision;
  assert.equal(
    await committer.commit((draft) => draft.read(streamStartRow, 1)?.offset ?? -1, {
      patient: false,
    }),
    -1,
  );
  assert.equal(catalogue.revision, before);
});

test("on a conflict the contribution is built again on the newer image", async () => {
  const other = await secondCatalogue();
  const outcome = await other.commit({
    id: randomId(runtime.random),
    require: [],
    put: [streamStartRow.put(1, { offset: 7, deadBefore: 7 })],
    delete: [],
  });
  assert.equal(outcome.tag, "ok");
  const raised = await committer.commit(
    (draft) => {
      const offset = (draft.require(streamStartRow, 1)?.offset ?? 0) + 1;
      draft.put(streamStartRow, 1, { offset, deadBefore: offset });
      return offset;
    },
    { patient: false },
  );
  assert.equal(raised, 8);
  assert.equal(startOf(1), 8);
});

test("once the record is somebody else's nothing is committed any more", async () => {
  const other = await secondCatalogue();
  await other.commit({
    id: randomId(runtime.random),
    require: [],
    put: [nodeRow.put(NODE, { ...row, epoch: 2 })],
    delete: [],
  });
  await assert.rejects(committer.commit(setStart(1, 1), { patient: true }), {
    code: "ENGINE_FENCED",
    kind: "fenced",
  });
  await assert.rejects(committer.commit(setStart(1, 2), { patient: true }), {
    code: "ENGINE_FENCED",
  });
  await catalogue.refresh();
  assert.equal(startOf(1), undefined);
  assert.equal(failures.length, 1);
});

test("where the catalogue cannot be reached the impatient are told, the patient wait", async () => {
  store.down();
  const impatient = committer.commit(setStart(1, 1), { patient: false });
  const patient = committer.commit(setStart(2, 2), { patient: true });
  patient.catch(() => undefined);
  await assert.rejects(runtime.clock.runUntil(impatient), (error) =>
    isKarstError(error, "unavailable"),
  );
  store.up();
  assert.equal(await runtime.clock.runUntil(patient), 2);
  assert.deepEqual([startOf(1), startOf(2)], [undefined, 2]);
});

test.each(["lost-answer", "lost-request", "late-effect"] as const)(
  "a commit whose answer is lost (%s) is decided by the record",
  async (tag) => {
    let left = 12;
    const plan: FaultPlan = (call) => {
      if (call.method !== "putIfAbsent" || left === 0) return undefined;
      left -= 1;
      return tag === "late-effect" ? { tag, delayMs: 500 } : { tag };
    };
    store.setPlan(plan);
    const builds: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      const value = await runtime.clock.runUntil(
        committer.commit(
          (draft) => {
            const offset = (draft.require(streamStartRow, 1)?.offset ?? 0) + 1;
            draft.put(streamStartRow, 1, { offset, deadBefore: offset });
            builds.push(offset);
            return offset;
          },
          { patient: true },
        ),
      );
      // Counted up by one each time: no commit was lost, and none took place twice.
      assert.equal(value, i + 1);
      assert.equal(startOf(1), i + 1);
    }
    assert.deepEqual(failures, []);
  },
);

test("a commit that took place unseen is known by its id", async () => {
  let struck = false;
  store.setPlan((call) => {
    if (struck) return { tag: "unavailable" };
    struck = call.method === "putIfAbsent";
    return struck ? { tag: "lost-answer" } : undefined;
  });
  const builds: number[] = [];
  const pending = committer.commit(
    (draft) => {
      const offset = (draft.require(streamStartRow, 1)?.offset ?? 0) + 1;
      draft.put(streamStartRow, 1, { offset, deadBefore: offset });
      builds.push(offset);
      return offset;
    },
    { patient: true },
  );
  for (let seconds = 0; seconds < 120; seconds += 1) await runtime.clock.advance(1_000);
  store.setPlan(noFaults);
  assert.equal(await runtime.clock.runUntil(pending), 1);
  assert.deepEqual(builds, [1]);
  assert.equal(startOf(1), 1);
  assert.equal(
    await runtime.clock.runUntil(committer.commit(setStart(1, 5), { patient: false })),
    5,
  );
  assert.deepEqual(failures, []);
});

test("an end while a commit is in doubt leaves it in doubt", async () => {
  store.setPlan((call) =>
    call.method === "putIfAbsent"
      ? { tag: "lost-request" }
      : call.method === "get"
        ? { tag: "unavailable" }
        : undefined,
  );
  const doubtful = committer.commit(setStart(1, 1), { patient: true });
  doubtful.catch(() => undefined);
  await runtime.clock.advance(120_000);
  abort.abort(coreError("ENGINE_CLOSED", "closed"));
  await assert.rejects(runtime.clock.runUntil(doubtful), (error) =>
    isKarstError(error, "indeterminate", "closed"),
  );
  await committer.settled();
});
