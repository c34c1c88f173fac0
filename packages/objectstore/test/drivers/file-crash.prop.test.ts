import { fileObjectStore, type ObjectStore } from "@karst/objectstore";
import {
  type Files,
  hasCode,
  isKarstError,
  randomInteger,
  utf8Decode,
  utf8Encode,
} from "@karst/runtime";
import { ManualClock, SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import { CrashModel, type State } from "./crash-model.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 50);
const LIVES = 4;
const CALLS_AT_ONCE = 6;
/** Keys that are only ever created, as the catalogue's and the WAL's are, and keys that anything is done to. */
const CREATED = ["log/1", "log/2", "wal/n/1/7", "wal/n/1"];
const MIXED = ["m/a", "m/b", "top"];

interface Config {
  readonly processes: number;
  /** Of bodies, so that one process cannot tell them by their size; of two, one does not see that the other replaced an object. */
  readonly bytes: number | "any";
  readonly sabotage: (files: Files) => Files;
}

/** A body that says which write it is, and shows whether it is whole. */
function bodyOf(state: string, bytes: number): Uint8Array {
  return utf8Encode(`${state}|`.padEnd(bytes - state.length - 1, ".") + `|${state}`);
}

function stateOf(body: Uint8Array): string {
  const text = utf8Decode(body);
  const state = /^([^|]+)\|\.*\|([^|]+)$/.exec(text);
  assert.ok(state?.[1] !== undefined && state[1] === state[2], `partial content: ${text}`);
  return state[1];
}

async function readOf(store: ObjectStore, key: string): Promise<State> {
  try {
    return stateOf(await store.get(key));
  } catch (error) {
    if (hasCode(error, "OBJECT_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Runs several lives of some processes over one disk, each ended by a crash at a random operation of the disk. */
class CrashRun {
  readonly #random: SeededRandom;
  readonly #clock: ManualClock = new ManualClock();
  readonly #disk: SimulatedDisk;
  readonly #model: CrashModel = new CrashModel();
  readonly #config: Config;
  #writes = 0;
  #over = false;
  crashes = 0;

  constructor(seed: number, config: Config) {
    this.#random = new SeededRandom(`file-crash/${seed}`);
    this.#config = config;
    this.#disk = new SimulatedDisk({
      random: this.#random.fork("disk"),
      clock: this.#clock,
      // Syncs take long enough for others to see what they are to make durable.
      latency: ({ operation }, random) =>
        randomInteger(random, 0, operation === "syncDirectory" ? 50 : 5),
    });
  }

  async run(): Promise<number> {
    for (let life = 0; life < LIVES; life += 1) {
      await this.#live(life);
      await this.#check(life);
    }
    return this.#model.facts;
  }

  #open(name: string): ObjectStore {
    const files = this.#config.sabotage(this.#disk.files);
    return fileObjectStore({ files, random: this.#random.fork(name), directory: "/data/karst" });
  }

  async #live(life: number): Promise<void> {
    const stores = Array.from({ length: this.#config.processes }, (_store, index) =>
      this.#open(`${life}/${index}`),
    );
    let left = randomInteger(this.#random, 5, 400);
    // The process alone goes, and what it had not synced stays to be read: by those who must sync it first.
    const killed = randomInteger(this.#random, 0, 3) === 0;
    if (randomInteger(this.#random, 0, 1) === 0) this.#injectFaults();
    this.#over = false;
    this.#disk.onOperation = () => {
      left -= 1;
      if (left > 0 || this.#over) return;
      this.#over = true;
      if (killed) this.#disk.kill();
      else this.#disk.crash();
    };
    const workers = Array.from({ length: CALLS_AT_ONCE }, async (_worker, index) => {
      const random = this.#random.fork(`${life}/${index}`);
      while (!this.#over) {
        try {
          await this.#call(
            stores[randomInteger(random, 0, stores.length - 1)] as ObjectStore,
            random,
          );
        } catch (error) {
          if (!isKarstError(error, "unavailable", "indeterminate", "closed")) throw error;
        }
      }
    });
    await this.#clock.runUntil(Promise.all(workers));
    this.#disk.onOperation = undefined;
    this.#disk.clearFaults();
    this.crashes += 1;
    this.#model.crash();
  }

  #injectFaults(): void {
    const times = Number.POSITIVE_INFINITY;
    this.#disk.fault({
      on: ["write", "link", "rename", "makeDirectory"],
      effect: "ENOSPC",
      probability: 0.03,
      times,
    });
    this.#disk.fault({
      on: ["link", "rename", "remove", "syncDirectory", "close"],
      effect: "EIO",
      probability: 0.02,
      times,
    });
    this.#disk.fault({ on: "datasync", effect: "lost-sync", probability: 0.05, times });
  }

  async #call(store: ObjectStore, random: SeededRandom): Promise<void> {
    const [created, mixed] = [CREATED, MIXED].map(
      (keys) => keys[randomInteger(random, 0, keys.length - 1)] as string,
    ) as [string, string];
    this.#writes += 1;
    const state = `w${this.#writes}`;
    const bytes =
      this.#config.bytes === "any" ? randomInteger(random, 30, 3_000) : this.#config.bytes;
    switch (randomInteger(random, 0, 6)) {
      case 0:
      case 1: {
        const key = randomInteger(random, 0, 3) === 0 ? mixed : created;
        await this.#model.change(
          key,
          state,
          () => store.putIfAbsent(key, bodyOf(state, bytes)),
          (answer) => answer === "created",
        );
        return;
      }
      case 2:
        await this.#model.change(
          mixed,
          state,
          () => store.put(mixed, bodyOf(state, bytes)),
          () => true,
        );
        return;
      case 3:
        await this.#model.change(
          mixed,
          undefined,
          () => store.delete([mixed]),
          () => true,
        );
        return;
      case 4: {
        const key = randomInteger(random, 0, 1) === 0 ? mixed : created;
        await this.#read(store, key);
        return;
      }
      case 5: {
        const info = await store.head(created);
        if (info !== undefined) await this.#read(store, created);
        return;
      }
      default:
        for await (const { key } of store.list(randomInteger(random, 0, 1) === 0 ? "" : "wal/n/")) {
          assert.ok([...CREATED, ...MIXED].includes(key));
        }
    }
  }

  /** What was read, and is there still, is durable at that moment: no crash need be lucky to find out. */
  async #read(store: ObjectStore, key: string): Promise<void> {
    await this.#model.read(key, async () => {
      const state = await readOf(store, key);
      const path = `/data/karst/objects/${key}@`;
      if (state === undefined || this.#over || !this.#disk.listAll().includes(path)) return state;
      const bytes = this.#disk.bytesOf(path);
      if (stateOf(bytes) === state) {
        assert.ok(
          this.#disk.isDurable(path, 0, bytes.length),
          `${key} with ${state} is not durable`,
        );
      }
      return state;
    });
  }

  /** A new process reads what is there; then the power goes once more, and what it read is still there. */
  async #check(life: number): Promise<void> {
    const keys = [...CREATED, ...MIXED];
    for (const round of [0, 1]) {
      const store = this.#open(`check${life}/${round}`);
      const states = await this.#clock.runUntil(Promise.all(keys.map((key) => readOf(store, key))));
      for (const [index, key] of keys.entries()) this.#model.check(key, states[index]);
      if (round === 0) this.#disk.crash();
    }
  }
}

async function checkRuns(count: number, config: Config): Promise<void> {
  let facts = 0;
  for (let seed = 1; seed <= count; seed += 1) {
    const run = new CrashRun(seed, config);
    try {
      facts += await run.run();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    assert.equal(run.crashes, LIVES);
  }
  assert.ok(facts > count * 50, `only ${facts} facts`);
}

const NO_SABOTAGE = (files: Files): Files => files;

// oxlint-disable vitest/expect-expect -- checkRuns asserts
test("after any crash what was answered is there, whole, and nothing is there in part", async () => {
  await checkRuns(RUNS, { processes: 2, bytes: "any", sabotage: NO_SABOTAGE });
});

test("a process alone is not deceived by objects of one size either", async () => {
  await checkRuns(RUNS, { processes: 1, bytes: 700, sabotage: NO_SABOTAGE });
});
// oxlint-enable vitest/expect-expect

/** Files of a process that leaves something out. A test that never finds these out finds nothing out. */
const SABOTAGES: Readonly<Record<string, (files: Files) => Files>> = {
  "no directory is synced": (files) => ({
    ...methodsOf(files),
    syncDirectory: async () => undefined,
  }),
  "only directories of objects are not synced": (files) => ({
    ...methodsOf(files),
    syncDirectory: (path) =>
      path.includes("/objects/") ? Promise.resolve() : files.syncDirectory(path),
  }),
  "no file is synced": (files) => ({
    ...methodsOf(files),
    open: async (path, mode) => {
      const handle = await files.open(path, mode);
      return {
        read: (into, position) => handle.read(into, position),
        write: (bytes, position) => handle.write(bytes, position),
        datasync: async () => undefined,
        size: () => handle.size(),
        close: () => handle.close(),
      };
    },
  }),
};

function methodsOf(files: Files): Files {
  return {
    open: (path, mode) => files.open(path, mode),
    list: (path) => files.list(path),
    stat: (path) => files.stat(path),
    makeDirectory: (path) => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    link: (from, to) => files.link(from, to),
    remove: (path) => files.remove(path),
    removeDirectory: (path) => files.removeDirectory(path),
    syncDirectory: (path) => files.syncDirectory(path),
  };
}

for (const [name, sabotage] of Object.entries(SABOTAGES)) {
  test(`the check finds out when ${name}`, async () => {
    await assert.rejects(
      checkRuns(30, { processes: 2, bytes: "any", sabotage }),
      /^Error: seed \d+: /,
    );
  });
}
