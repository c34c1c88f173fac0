import assert from "node:assert/strict";
import { type Catalogue, type CatalogueLimits, openCatalogue, type Transaction } from "@karst/core";
import { MemoryBucket, memoryObjectStore, type ObjectStore } from "@karst/objectstore";
import { utf8Decode, utf8Encode } from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { TrueHistory } from "./true-history.ts";
import { type Around, type StoreRequest, wrappedStore } from "./wrapped-store.ts";

/** Requests that are held back until somebody lets them go. */
export class Gate {
  #holds: ((request: StoreRequest) => boolean) | undefined;
  #held: (() => void)[] = [];
  #arrival: (() => void) | undefined;

  readonly around: Around = async (request, pass) => {
    if (this.#holds?.(request) === true) {
      const held = new Promise<void>((resolve) => this.#held.push(resolve));
      this.#arrival?.();
      await held;
    }
    return pass();
  };

  /** From now on holds such requests; resolves when the first one has come. */
  hold(holds: (request: StoreRequest) => boolean): Promise<void> {
    this.#holds = holds;
    return new Promise((resolve) => {
      this.#arrival = resolve;
    });
  }

  release(): void {
    this.#holds = undefined;
    for (const release of this.#held.splice(0)) release();
  }
}

/** Several instances over one healthy store, with the record of what truly happened. */
export class SharedRoot {
  readonly bucket: MemoryBucket = new MemoryBucket();
  readonly history: TrueHistory = new TrueHistory();
  readonly runtime: SimulatedRuntime = simulatedRuntime({ seed: 3, autoDefer: true });
  /** Every request, in order. */
  readonly requests: StoreRequest[] = [];
  readonly store: ObjectStore;
  #opened = 0;
  #ids = 0;

  constructor() {
    this.store = wrappedStore(memoryObjectStore({ bucket: this.bucket }), (request, pass) => {
      this.requests.push(request);
      return this.history.observe(request, pass);
    });
  }

  open(
    limits: Partial<CatalogueLimits> = {},
    around: Around = (_request, pass) => pass(),
  ): Promise<Catalogue> {
    this.#opened += 1;
    const runtime = {
      ...this.runtime,
      random: this.runtime.random.fork(`instance ${this.#opened}`),
    };
    return openCatalogue({
      objectStore: wrappedStore(this.store, around),
      runtime,
      create: true,
      limits,
    });
  }

  count(name: string): number {
    return this.runtime.metrics.value(`karst_catalogue_${name}`);
  }

  keys(prefix: string): Promise<readonly string[]> {
    return keysOf(this.bucket, prefix);
  }

  transaction(
    put: Readonly<Record<string, string>>,
    require: Transaction["require"] = [],
  ): Transaction {
    this.#ids += 1;
    const rows = Object.entries(put).map(([key, value]) => ({ key, value: utf8Encode(value) }));
    return { id: this.#ids.toString(16).padStart(32, "0"), require, put: rows, delete: [] };
  }

  async put(catalogue: Catalogue, put: Readonly<Record<string, string>>): Promise<number> {
    const outcome = await catalogue.commit(this.transaction(put));
    assert(outcome.tag === "ok");
    return outcome.revision;
  }

  /** Commits until the instance has published one more snapshot and cleaned up after it. */
  async putUntilSnapshot(catalogue: Catalogue, key: string): Promise<void> {
    const before = this.count("written_snapshots");
    for (let i = 0; this.count("written_snapshots") === before; i += 1) {
      assert(i < 100, "no snapshot came");
      await this.put(catalogue, { [key]: String(i) });
      await turns();
    }
  }
}

/** As many turns as anything that waits for nothing outside can take. */
export async function turns(count: number = 20): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

export async function keysOf(bucket: MemoryBucket, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of memoryObjectStore({ bucket }).list(prefix)) keys.push(key);
  return keys;
}

export function textOf(catalogue: Catalogue, key: string): string | undefined {
  const row = catalogue.get(key);
  return row && utf8Decode(row.value);
}
