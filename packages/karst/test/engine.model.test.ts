import assert from "node:assert/strict";
import fc from "fast-check";
import type { Positions, Topic, TopicRecord } from "karst";
import { test } from "vitest";
import { EngineHandle } from "../src/engine-handle.ts";
import { type EngineParts, openParts } from "../src/open-parts.ts";
import { collect } from "./world.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 40);
const PARTITIONS = 3;

/** Small enough that a few appends cross uploads, trims of the WAL and reads from objects. */
const TINY = {
  memoryBudgetBytes: 1 << 19,
  slabBytes: 1 << 12,
  uploadBytes: 1 << 12,
  unuploadedBytesMax: 1 << 17,
  blockBytes: 1 << 10,
};

/** What a partition should be. */
interface ModelPartition {
  start: number;
  readonly values: string[];
}

/** An engine over a memory root that outlives it, beside three arrays. */
class World {
  readonly model: readonly ModelPartition[] = Array.from({ length: PARTITIONS }, () => ({
    start: 0,
    values: [],
  }));
  readonly #name: string;
  #parts: EngineParts | undefined;
  #topic: Topic | undefined;
  #minted = 0;

  constructor(name: string) {
    this.#name = name;
  }

  async open(): Promise<void> {
    this.#parts = await openParts({ root: `memory:${this.#name}`, limits: TINY });
    this.#topic = new EngineHandle(this.#parts).topic("orders", { partitions: PARTITIONS });
  }

  get parts(): EngineParts {
    assert.ok(this.#parts !== undefined);
    return this.#parts;
  }

  get topic(): Topic {
    assert.ok(this.#topic !== undefined);
    return this.#topic;
  }

  value(bytes: number): string {
    this.#minted += 1;
    return `${this.#minted}:`.padEnd(bytes, "x");
  }
}

type Step =
  | {
      readonly tag: "append";
      readonly partition: number;
      readonly count: number;
      readonly bytes: number;
    }
  | { readonly tag: "burst"; readonly count: number; readonly bytes: number }
  | { readonly tag: "session"; readonly count: number; readonly bytes: number }
  | { readonly tag: "trim"; readonly partition: number; readonly fraction: number }
  | { readonly tag: "read"; readonly partition: number; readonly fraction: number }
  | { readonly tag: "resume"; readonly pieces: number }
  | { readonly tag: "follow"; readonly count: number }
  | { readonly tag: "upload" }
  | { readonly tag: "reopen" }
  | { readonly tag: "crash" };

const partition = fc.nat(PARTITIONS - 1);
const count = fc.integer({ min: 1, max: 20 });
const bytes = fc.integer({ min: 4, max: 600 });
const fraction = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ tag: fc.constant("append" as const), partition, count, bytes }),
  },
  { weight: 3, arbitrary: fc.record({ tag: fc.constant("burst" as const), count, bytes }) },
  { weight: 2, arbitrary: fc.record({ tag: fc.constant("session" as const), count, bytes }) },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("trim" as const), partition, fraction }) },
  { weight: 2, arbitrary: fc.record({ tag: fc.constant("read" as const), partition, fraction }) },
  {
    weight: 1,
    arbitrary: fc.record({
      tag: fc.constant("resume" as const),
      pieces: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("follow" as const), count }) },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("upload" as const) }) },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("reopen" as const) }) },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("crash" as const) }) },
);

async function run(world: World, one: Step): Promise<void> {
  const { model, topic } = world;
  switch (one.tag) {
    case "append": {
      const values = Array.from({ length: one.count }, () => world.value(one.bytes));
      const end = at(model, one.partition).values.length;
      const appended = await topic.append(
        values.map((value) => ({ value })),
        { partition: one.partition, ifOffset: end },
      );
      assert.deepEqual([appended.offset, appended.endOffset], [end, end + one.count]);
      at(model, one.partition).values.push(...values);
      return;
    }
    case "burst": {
      const sent = Array.from({ length: one.count }, (_, i) => ({
        key: `k${i}`,
        value: world.value(one.bytes),
      }));
      const appended = await Promise.all(sent.map((record) => topic.append(record)));
      record(model, sent, appended);
      return;
    }
    case "session": {
      const session = topic.appendSession({ bytesMax: 2_000 });
      const sent = Array.from({ length: one.count }, (_, i) => ({
        key: `k${i}`,
        value: world.value(one.bytes),
      }));
      const tickets = [];
      for (const each of sent) tickets.push(await session.submit(each));
      await session.close();
      record(model, sent, await Promise.all(tickets.map((ticket) => ticket.ack())));
      return;
    }
    case "trim": {
      const chosen = at(model, one.partition);
      if (chosen.values.length === 0) return;
      const before = Math.floor(chosen.values.length * one.fraction);
      await topic.trim({ partition: one.partition, before });
      chosen.start = Math.max(chosen.start, before);
      return;
    }
    case "read": {
      const { start, values } = at(model, one.partition);
      if (values.length === 0) return;
      const offset = start + Math.floor((values.length - start) * one.fraction);
      const records = await collect(topic.read({ from: { offset, partition: one.partition } }));
      assert.deepEqual(
        records.map((each) => each.text()),
        values.slice(offset),
      );
      return;
    }
    case "resume":
      return resume(world, one.pieces);
    case "follow": {
      // Not from "latest": where that is, is decided when the reading has opened the partition, and the appends may be faster.
      const from = { offset: at(model, 0).values.length, partition: 0 };
      const followed = collect(topic.read({ from, follow: true }), one.count);
      const values = Array.from({ length: one.count }, () => world.value(10));
      for (const value of values) await topic.append({ value }, { partition: 0 });
      assert.deepEqual(
        (await followed).map((each) => each.text()),
        values,
      );
      at(model, 0).values.push(...values);
      return;
    }
    case "upload":
      return world.parts.engine.upload();
    case "reopen":
      await world.parts.close();
      return world.open();
    case "crash":
      await world.parts.engine.abandon();
      return world.open();
  }
}

/** Reads everything in pieces, each from where the one before was left. */
async function resume(world: World, pieces: number): Promise<void> {
  if (!world.parts.topics.list().some(({ name }) => name === "orders")) return;
  const expected = world.model.map(({ start, values }) => values.slice(start));
  const total = expected.flat().length;
  const seen: string[][] = expected.map(() => []);
  let from: Positions | "earliest" = "earliest";
  for (let left = total; left > 0;) {
    const records: readonly TopicRecord[] = await collect(
      world.topic.read({ from }),
      Math.ceil(total / pieces),
    );
    assert.ok(records.length > 0, "a reading that is not at the end has records");
    for (const each of records) at(seen, each.partition).push(each.text());
    from = records.at(-1)?.position ?? from;
    left -= records.length;
  }
  assert.deepEqual(seen, expected);
}

/** Takes over what was appended, each where its answer says. */
function record(
  model: readonly ModelPartition[],
  sent: readonly { readonly value: string }[],
  appended: readonly { readonly partition: number; readonly offset: number }[],
): void {
  for (const [index, { partition: chosen, offset }] of appended.entries()) {
    const { values } = at(model, chosen);
    assert.equal(
      offset,
      values.length,
      "offsets of a partition are given in the order of the calls",
    );
    values.push(sent[index]?.value ?? "");
  }
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  assert.ok(value !== undefined);
  return value;
}

test(
  `an engine is three arrays (${RUNS} runs)`,
  async () => {
    let world = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        world += 1;
        const one = new World(`model-${process.pid}-${world}`);
        await one.open();
        try {
          for (const each of steps) await run(one, each);
          await resume(one, 1);
        } finally {
          await one.parts.close();
        }
      }),
      { numRuns: RUNS },
    );
  },
  60_000 + RUNS * 500,
);
