import assert from "node:assert/strict";
import {
  type Catalogue,
  type CatalogueLimits,
  type CommitOutcome,
  openCatalogue,
  type Revision,
  type Transaction,
} from "@karst/core";
import {
  faultRates,
  type FaultRates,
  type FaultyObjectStore,
  faultyObjectStore,
  MemoryBucket,
  memoryObjectStore,
  noFaults,
} from "@karst/objectstore";
import { isKarstError, randomId, randomInteger, sleep, utf8Encode } from "@karst/runtime";
import { type SeededRandom, type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { TrueHistory } from "./true-history.ts";
import { wrappedStore } from "./wrapped-store.ts";

export interface LogWorldOptions {
  readonly seed: number;
  readonly instances: number;
  /** Commits of each instance. */
  readonly commits: number;
  readonly rates: FaultRates;
  /** Whether there are so many rows that they take more than one chunk. */
  readonly filler: boolean;
  /** Probability that an instance stands still before or after one of its requests. */
  readonly pauseRate: number;
  /** Probability, after a commit, that an instance is killed and another opened. */
  readonly killRate: number;
  readonly limits: Partial<CatalogueLimits>;
}

const KEYS = 6;
const PAUSE_MS_MAX = 15_000;
const FILLER_ROWS = 600;
const ATTEMPTS_PER_TRANSACTION = 4;

/** Instances that race over one faulty store on one simulated clock, and a record of what truly happened. */
export class LogWorld {
  readonly history: TrueHistory = new TrueHistory();
  readonly runtime: SimulatedRuntime;
  readonly bucket: MemoryBucket = new MemoryBucket();
  readonly #options: LogWorldOptions;
  readonly #faulty: FaultyObjectStore;
  #instances = 0;
  #pausing = true;

  constructor(options: LogWorldOptions) {
    this.#options = options;
    this.runtime = simulatedRuntime({ seed: options.seed });
    const { random, clock } = this.runtime;
    const plan = faultRates(options.rates, { min: 1, max: 4_000 });
    const observed = wrappedStore(memoryObjectStore({ bucket: this.bucket }), this.history.observe);
    this.#faulty = faultyObjectStore(observed, {
      random: random.fork("faults"),
      clock,
      plan,
      latencyMs: { min: 0, max: 40 },
    });
  }

  count(name: string): number {
    return this.runtime.metrics.value(`karst_catalogue_${name}`);
  }

  get lateEffects(): number {
    return this.#faulty.lateEffects;
  }

  /** Runs everything, heals, and checks what is left. */
  run(): Promise<void> {
    return this.runtime.clock.runUntil(this.#all(), { limitMs: 40_000_000 });
  }

  async #all(): Promise<void> {
    const clients = Array.from({ length: this.#options.instances }, (_, i) =>
      this.#client(this.runtime.random.fork(`client ${i}`)),
    );
    await Promise.all(clients);
    this.#faulty.setPlan(noFaults);
    this.#pausing = false;
    // What is late still comes, into a log that nobody minds.
    await sleep(this.runtime.clock, 60_000);
    assert.equal(this.lateEffects, 0);
    for (const id of this.#refused) {
      assert.equal(this.history.revisionOf(id), undefined, "what was refused never happens");
    }
    const catalogue = await this.#open();
    assert.equal(catalogue.revision, this.history.revision);
    this.history.checkImage(catalogue);
    await catalogue.close();
  }

  #open(killed: { value: boolean } = { value: false }): Promise<Catalogue> {
    this.#instances += 1;
    const own = {
      ...this.runtime,
      random: this.runtime.random.fork(`instance ${this.#instances}`),
    };
    const objectStore = wrappedStore(this.#faulty, async (_request, pass) => {
      await this.#standStill(own.random, killed);
      const answer = await pass();
      await this.#standStill(own.random, killed);
      return answer;
    });
    const limits = { putAttemptsMax: 3, putDeadlineMs: 2_000, ...this.#options.limits };
    return openCatalogue({ objectStore, runtime: own, create: true, limits });
  }

  async #standStill(random: SeededRandom, killed: { readonly value: boolean }): Promise<void> {
    if (killed.value) await new Promise(() => undefined);
    if (!this.#pausing || random.u32() / 2 ** 32 >= this.#options.pauseRate) return;
    await sleep(this.runtime.clock, randomInteger(random, 1, PAUSE_MS_MAX));
  }

  async #client(random: SeededRandom): Promise<void> {
    const instance = { killed: { value: false } };
    let catalogue = await this.#eventually(() => this.#open(instance.killed));
    let stop = this.#watch(catalogue);
    if (this.#options.filler) await this.#fill(catalogue, random);
    for (let i = 0; i < this.#options.commits; i += 1) {
      await this.#commit(catalogue, random);
      this.history.checkImage(catalogue);
      if (random.u32() / 2 ** 32 < this.#options.killRate) {
        // The one before never wakes again, wherever it stands.
        instance.killed.value = true;
        instance.killed = { value: false };
        stop();
        catalogue = await this.#eventually(() => this.#open(instance.killed));
        stop = this.#watch(catalogue);
      } else if (randomInteger(random, 0, 3) === 0) {
        await this.#refresh(catalogue);
      }
    }
    stop();
    await catalogue.close();
  }

  async #fill(catalogue: Catalogue, random: SeededRandom): Promise<void> {
    const put = Array.from({ length: FILLER_ROWS }, (_, i) => ({
      key: `filler/${i}`,
      value: new Uint8Array(3),
    }));
    try {
      await catalogue.commit({
        id: randomId(random),
        require: [{ key: "filler/0", revision: "absent" }],
        put,
        delete: [],
      });
    } catch (error) {
      assert(isKarstError(error, "unavailable", "corrupt"), String(error));
    }
  }

  async #commit(catalogue: Catalogue, random: SeededRandom): Promise<void> {
    let transaction = this.#transaction(catalogue, random);
    let wasUnknown = false;
    for (let attempt = 1; attempt <= ATTEMPTS_PER_TRANSACTION; attempt += 1) {
      const before = this.history.revision;
      let outcome: CommitOutcome;
      try {
        outcome = await catalogue.commit(transaction);
      } catch (error) {
        assert(isKarstError(error, "unavailable", "corrupt"), String(error));
        this.#refused.add(transaction.id);
        continue;
      }
      const happened = this.history.revisionOf(transaction.id);
      this.#refused.delete(transaction.id);
      switch (outcome.tag) {
        case "ok":
          assert.equal(happened, outcome.revision, "what is ok has happened, at that revision");
          assert(wasUnknown || outcome.revision > before);
          assert(catalogue.revision >= outcome.revision);
          return;
        case "conflict":
          this.#refused.add(transaction.id);
          assert(
            this.history.failedBetween(transaction, outcome.key, before, this.history.revision),
          );
          return;
        case "unknown":
          wasUnknown = true;
          this.#doubtful.add(transaction.id);
          if (randomInteger(random, 0, 2) === 0) return;
          // The same again, or something else: both must come out right.
          if (randomInteger(random, 0, 2) === 0) {
            transaction = this.#transaction(catalogue, random);
            wasUnknown = false;
          }
      }
    }
  }

  readonly #doubtful: Set<string> = new Set();
  /** Transactions of which the last that was heard is that they did not happen. */
  readonly #refused: Set<string> = new Set();

  /** Transactions that at some time were unknown, and how many of them happened. */
  get unknown(): { readonly all: number; readonly happened: number } {
    const happened = [...this.#doubtful].filter((id) => this.history.revisionOf(id) !== undefined);
    return { all: this.#doubtful.size, happened: happened.length };
  }

  #transaction(catalogue: Catalogue, random: SeededRandom): Transaction {
    const keys = new Set(
      Array.from(
        { length: randomInteger(random, 1, 3) },
        () => `k/${randomInteger(random, 0, KEYS - 1)}`,
      ),
    );
    const parts = [...keys].map((key) => ({
      key,
      revision: catalogue.get(key)?.revision ?? ("absent" as const),
    }));
    const deleted = parts.filter(
      ({ revision }) => revision !== "absent" && randomInteger(random, 0, 3) === 0,
    );
    const put = parts.filter((part) => !deleted.includes(part));
    return {
      id: randomId(random),
      require: parts.filter(() => randomInteger(random, 0, 4) > 0),
      put: put.map(({ key }) => ({
        key,
        value: utf8Encode(`${key} ${random.u32()}`.slice(0, randomInteger(random, 0, 20))),
      })),
      delete: deleted.map(({ key }) => key),
    };
  }

  async #refresh(catalogue: Catalogue): Promise<void> {
    const before = this.history.revision;
    try {
      const revision = await catalogue.refresh();
      assert(revision >= before, "refresh sees what happened before it");
      this.history.checkImage(catalogue);
    } catch (error) {
      assert(isKarstError(error, "unavailable", "corrupt"), String(error));
    }
  }

  #watch(catalogue: Catalogue): () => void {
    const stop = new AbortController();
    const watching = (async () => {
      let at: number = catalogue.revision;
      for await (const change of catalogue.watch(at as Revision, stop.signal)) {
        this.history.checkChange(at, change);
        at = change.revision;
      }
    })();
    // Reported by the test runner, should it ever reject.
    this.watches.push(watching);
    return () => stop.abort();
  }

  readonly watches: Promise<void>[] = [];

  async #eventually<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        assert(isKarstError(error, "unavailable", "corrupt", "indeterminate"), String(error));
        await sleep(this.runtime.clock, 10);
      }
    }
  }
}
