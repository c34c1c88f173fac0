import assert from "node:assert/strict";
import { beforeEach, test } from "vitest";
import {
  type FaultyObjectStore,
  faultRates,
  faultyObjectStore,
  memoryObjectStore,
  MemoryBucket,
  noFaults,
} from "@karst/objectstore";
import { isKarstError } from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { coreError } from "../../src/errors.ts";
import { counterRow } from "../../src/catalogue/rows/counter-row.ts";
import { streamOwnerRow } from "../../src/catalogue/rows/stream-owner-row.ts";
import { topicRow } from "../../src/catalogue/rows/topic-row.ts";
import { commitChange } from "../../src/topics/commit-change.ts";
import { creation, deletion, takeNumbers } from "../../src/topics/topic-changes.ts";
import { TopicIndex } from "../../src/topics/topic-index.ts";

let runtime: SimulatedRuntime;
let bucket: MemoryBucket;
let store: FaultyObjectStore;

beforeEach(() => {
  runtime = simulatedRuntime({ seed: 1, autoDefer: true });
  bucket = new MemoryBucket();
  const clock = runtime.clock;
  store = faultyObjectStore(memoryObjectStore({ bucket }), {
    random: runtime.random.fork("faults"),
    plan: noFaults,
    clock,
  });
});

const open = (): Promise<Catalogue> => openCatalogue({ objectStore: store, runtime, create: true });

/** A second process's view of the same root. */
const openOther = (): Promise<Catalogue> =>
  openCatalogue({
    objectStore: memoryObjectStore({ bucket }),
    runtime: runtime.restart(),
    create: true,
  });

test("numbers taken by two processes at once differ", async () => {
  const catalogues = [await open(), await openOther()];
  const firsts = await Promise.all(
    Array.from({ length: 10 }, async (_, i) => {
      const catalogue = catalogues[i % 2] as Catalogue;
      const taken = await commitChange(catalogue, runtime.random, () =>
        takeNumbers(catalogue, "producer-ids", 100),
      );
      return taken?.first;
    }),
  );
  assert.deepEqual(
    firsts.toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    Array.from({ length: 10 }, (_, i) => i * 100),
  );
});

test("a plan that says that nothing is left ends the tries, one that throws too", async () => {
  const catalogue = await open();
  assert.equal(await commitChange(catalogue, runtime.random, () => undefined), undefined);
  const refusal = new TypeError("no");
  const refused = commitChange(catalogue, runtime.random, () => {
    throw refusal;
  });
  await assert.rejects(refused, refusal);
});

test("what an older image refuses is asked again on the newest", async () => {
  const [catalogue, other] = [await open(), await openOther()];
  const taken = counterRow.key("producer-ids");
  const plan = (): ReturnType<typeof takeNumbers> => {
    if (catalogue.get(taken) === undefined) throw coreError("TOPIC_NOT_FOUND", "not yet");
    return takeNumbers(catalogue, "producer-ids", 100);
  };
  const refused = commitChange(catalogue, runtime.random, plan);
  await assert.rejects(refused, { code: "TOPIC_NOT_FOUND" });
  await commitChange(other, runtime.random, () => takeNumbers(other, "producer-ids", 100));
  assert.equal((await commitChange(catalogue, runtime.random, plan))?.first, 100);
});

test("who is overtaken for ever gives up, with nothing done", async () => {
  const [catalogue, other] = [await open(), await openOther()];
  let plans = 0;
  const overtaken = commitChange(catalogue, runtime.random, () => {
    plans += 1;
    // Requires what is not there.
    return {
      require: [{ key: "counters/topics", revision: catalogue.revision }],
      put: [],
      delete: [],
    };
  });
  await assert.rejects(overtaken, { kind: "unavailable", code: "CATALOGUE_BUSY" });
  assert.ok(plans > 1);
  await other.refresh();
  assert.equal(other.get("counters/topics"), undefined);
});

test("an index follows its own changes, and reads the image anew after others'", async () => {
  const [catalogue, other] = [await open(), await openOther()];
  const index = new TopicIndex(catalogue);
  assert.equal(index.size, 0);
  const [a, b] = ["a".repeat(32), "b".repeat(32)];
  const create = async (
    where: Catalogue,
    topicId: string,
    name: string,
  ): Promise<ReturnType<typeof creation>> => {
    const options = { name, partitions: 2 };
    const change = await commitChange(where, runtime.random, () =>
      creation(where, topicId, options, 5),
    );
    assert.ok(change !== undefined);
    return change;
  };
  const change = await create(catalogue, a, "mine");
  index.follow(a, change.before);
  assert.equal(index.byName("mine")?.topic.topicId, a);
  await create(other, b, "theirs");
  assert.equal(index.byName("theirs"), undefined);
  await catalogue.refresh();
  assert.deepEqual(index.byName("theirs")?.streams, [2, 3]);
  assert.deepEqual(
    index.list().map((indexed) => indexed.topic.name),
    ["mine", "theirs"],
  );

  // An own change of which others' came before is not followed but read.
  const mine = index.byId(a);
  assert.ok(mine !== undefined);
  const removed = await commitChange(catalogue, runtime.random, () => deletion(catalogue, mine));
  index.follow(a, removed?.before);
  assert.equal(index.byId(a), undefined);
  assert.equal(index.colliding("mine"), undefined);
  assert.equal(index.colliding("theirs")?.topic.topicId, b);
});

test("whatever happens to answers, a creation happens once or is reported as unknown or not done", async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 150; seed += 1) {
    runtime = simulatedRuntime({ seed, autoDefer: true });
    bucket = new MemoryBucket();
    const random = runtime.random.fork("faults");
    const lossy = faultRates({ "lost-answer": 0.2, "lost-request": 0.2, unavailable: 0.1 });
    let plan = noFaults;
    const faulty = faultyObjectStore(memoryObjectStore({ bucket }), {
      random,
      plan: (call, draw) => plan(call, draw),
      clock: runtime.clock,
    });
    const catalogue = await openCatalogue({ objectStore: faulty, runtime, create: true });
    plan = lossy;
    const topicId = "c".repeat(32);
    const created = commitChange(catalogue, runtime.random, () =>
      topicRow.get(catalogue, topicId) === undefined
        ? creation(catalogue, topicId, { name: "t", partitions: 2 }, 5)
        : undefined,
    );
    const outcome = created.then(
      () => "done",
      (error: unknown) =>
        isKarstError(error, "unavailable", "indeterminate") ? error.kind : Promise.reject(error),
    );
    // Retries of the catalogue wait for the clock.
    await runtime.clock.advance(600_000);
    const what = await outcome;
    outcomes.add(what);
    plan = noFaults;
    const truth = await openOther();
    const topics = [...topicRow.scan(truth)];
    const streams = [...streamOwnerRow.scan(truth)];
    if (what === "done") assert.equal(topics.length, 1, `seed ${seed}`);
    if (what === "unavailable") assert.equal(topics.length, 0, `seed ${seed}`);
    // Never twice, never by halves.
    assert.equal(streams.length, topics.length * 2, `seed ${seed}`);
    assert.equal(counterRow.get(truth, "streams")?.value.next ?? 0, topics.length * 2);
    await catalogue.close();
  }
  assert.deepEqual([...outcomes].toSorted(), ["done", "indeterminate", "unavailable"]);
});
