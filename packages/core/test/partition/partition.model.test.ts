import assert from "node:assert/strict";
import * as fc from "fast-check";
import { test } from "vitest";
import type { PartitionLog } from "@karst/core";
import { isKarstError } from "@karst/runtime";
import { batchOf, contents } from "./batches.ts";
import { World } from "./world.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 50);

interface Batch {
  readonly epoch: number;
  readonly baseSequence: number;
  readonly values: readonly string[];
  readonly baseOffset: number;
}

/** What producers did, and what the log must be: all of it acknowledged. */
interface Model {
  readonly records: string[];
  readonly producers: Map<number, Batch[]>;
  start: number;
  /** How often each thing was met, so that a run that meets nothing is found out. */
  readonly seen: Map<string, number>;
}

interface Real {
  readonly world: World;
  log: PartitionLog;
}

type Action = (model: Model, real: Real) => Promise<void>;

class Command implements fc.AsyncCommand<Model, Real> {
  readonly #name: string;
  readonly #action: Action;

  constructor(name: string, action: Action) {
    this.#name = name;
    this.#action = action;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    await this.#action(model, real);
    assert.ok(real.log.logStartOffset <= real.log.lastStableOffset);
    assert.ok(real.log.lastStableOffset <= real.log.highWatermark);
    assert.ok(real.log.highWatermark <= real.log.logEndOffset);
    const expected = model.records.map((value, offset) => `${offset}:${value}`).slice(model.start);
    assert.deepEqual(await contents(real.log), expected);
  }

  toString(): string {
    return this.#name;
  }
}

function met(model: Model, what: string): void {
  model.seen.set(what, (model.seen.get(what) ?? 0) + 1);
}

/** Sends the producer's next batch. */
function send(producerId: number, count: number, bumpEpoch: boolean): Command {
  return new Command(
    `send(${producerId}, ${count}${bumpEpoch ? ", bump" : ""})`,
    async (model, { log }) => {
      const batches = model.producers.get(producerId) ?? [];
      model.producers.set(producerId, batches);
      const last = batches.at(-1);
      const epoch = (last?.epoch ?? 0) + (bumpEpoch ? 1 : 0);
      const baseSequence =
        last === undefined || bumpEpoch ? 0 : last.baseSequence + last.values.length;
      const values = Array.from(
        { length: count },
        (_, i) => `p${producerId}e${epoch}s${baseSequence + i}`,
      );
      const batch: Batch = { epoch, baseSequence, values, baseOffset: model.records.length };
      const append = log.append(
        batchOf(values, { producer: { id: producerId, epoch, baseSequence } }),
      );
      assert.deepEqual([append.baseOffset, append.duplicate], [batch.baseOffset, false]);
      await append.durable;
      batches.push(batch);
      model.records.push(...values);
      met(model, "sent");
    },
  );
}

/** Sends a batch again that the producer sent `back` batches ago. */
function resend(producerId: number, back: number): Command {
  return new Command(`resend(${producerId}, ${back})`, async (model, { log }) => {
    const batches = model.producers.get(producerId) ?? [];
    const batch = batches.at(-1 - back);
    const last = batches.at(-1);
    if (batch === undefined || last === undefined) return;
    const { epoch, baseSequence, values } = batch;
    const again = (): ReturnType<PartitionLog["append"]> =>
      log.append(batchOf(values, { producer: { id: producerId, epoch, baseSequence } }));
    if (epoch < last.epoch) {
      assert.throws(again, { code: "INVALID_PRODUCER_EPOCH" });
      met(model, "fenced");
    } else if (back < 5) {
      const append = again();
      assert.deepEqual([append.duplicate, append.baseOffset], [true, batch.baseOffset]);
      assert.equal(append.lastOffset, batch.baseOffset + values.length - 1);
      await append.durable;
      met(model, "duplicate");
    } else {
      assert.throws(again, { code: "OUT_OF_ORDER_SEQUENCE" });
      met(model, "forgotten");
    }
  });
}

function skip(producerId: number): Command {
  return new Command(`skip(${producerId})`, async (model, { log }) => {
    const last = model.producers.get(producerId)?.at(-1);
    if (last === undefined) return;
    const producer = {
      id: producerId,
      epoch: last.epoch,
      baseSequence: last.baseSequence + last.values.length + 1,
    };
    assert.throws(() => log.append(batchOf(["never"], { producer })), {
      code: "OUT_OF_ORDER_SEQUENCE",
    });
    met(model, "gap");
  });
}

const upload = new Command("upload", (_model, { world }) => world.engine.upload());

const trim = (share: number): Command =>
  new Command(`trim(${share})`, async (model, { log, world }) => {
    const before = Math.max(model.start, Math.floor((model.records.length * share) / 100));
    // As retention does: what is in no object is not trimmed. Else a crash may forget who sent it.
    await world.engine.upload();
    await log.trim(before);
    model.start = before;
  });

const reopen = (how: "crash" | "restart"): Command =>
  new Command(how, async (model, real) => {
    await real.world[how]();
    real.log = await real.world.reopened("t");
    met(model, how);
  });

/** The engine dies while an append is on its way: afterwards the batch is there, or it is not. */
const crashInFlight = (producerId: number): Command =>
  new Command(`crashInFlight(${producerId})`, async (model, real) => {
    const batches = model.producers.get(producerId) ?? [];
    model.producers.set(producerId, batches);
    const last = batches.at(-1);
    const epoch = last?.epoch ?? 0;
    const baseSequence = last === undefined ? 0 : last.baseSequence + last.values.length;
    const values = [`p${producerId}e${epoch}s${baseSequence}`];
    const batch = batchOf(values, { producer: { id: producerId, epoch, baseSequence } });
    const append = real.log.append(batch.slice());
    await real.world.crash();
    await append.durable.catch((error: unknown) => assert.ok(isKarstError(error, "indeterminate")));
    real.log = await real.world.reopened("t");
    // As a producer does: the same batch again, until it is acknowledged.
    const again = real.log.append(batch);
    await again.durable;
    assert.equal(again.baseOffset, model.records.length);
    batches.push({ epoch, baseSequence, values, baseOffset: again.baseOffset });
    model.records.push(...values);
    met(model, again.duplicate ? "survived" : "lost");
  });

test(
  "what was acknowledged is there once, whatever happens in between",
  async () => {
    const producerId = fc.integer({ min: 1, max: 2 });
    const commands = [
      fc
        .tuple(
          producerId,
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 0, max: 9 }).map((n) => n < 2),
        )
        .map((args) => send(...args)),
      fc
        .tuple(producerId, fc.integer({ min: 1, max: 3 }), fc.constant(false))
        .map((args) => send(...args)),
      fc.tuple(producerId, fc.integer({ min: 0, max: 8 })).map((args) => resend(...args)),
      producerId.map(skip),
      fc.constant(upload),
      fc.integer({ min: 0, max: 100 }).map(trim),
      fc.constantFrom(reopen("crash"), reopen("restart")),
      producerId.map(crashInFlight),
    ];
    const totals = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.commands(commands, { maxCommands: 60, size: "max" }),
        fc.nat(),
        async (run, seed) => {
          const world = await new World({ seed }).open();
          const model: Model = { records: [], producers: new Map(), start: 0, seen: totals };
          const real: Real = { world, log: await world.partition("t") };
          await fc.asyncModelRun(() => ({ model, real }), run);
          await real.world.close();
        },
      ),
      { numRuns: RUNS },
    );
    for (const what of ["sent", "duplicate", "fenced", "forgotten", "gap", "crash", "restart"]) {
      assert.ok((totals.get(what) ?? 0) > 0, `${what} was never met`);
    }
    assert.ok(
      (totals.get("survived") ?? 0) + (totals.get("lost") ?? 0) > 0,
      "no append was ever on its way",
    );
  },
  60_000 + RUNS * 500,
);
