// Any order of asking, answering, giving up, letting go and evicting, against a list. In the second ring: what it finds, the simulated
// worlds have to find without it, and planted bugs show that they do.
import assert from "node:assert/strict";
import { MemoryBudget } from "@karst/runtime";
import fc from "fast-check";
import { test } from "vitest";
import { type Lease, LeaseCache } from "../../src/cache/lease-cache.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 5_000);

const BUDGET_BYTES = 100;
const CACHE_BYTES = 60;
const KEYS = ["a", "b", "c", "d", "e"] as const;
type Key = (typeof KEYS)[number];

/** Told apart by their sums. The last one alone is larger than the cache may be. */
const BYTES: Readonly<Record<Key, number>> = { a: 1, b: 10, c: 20, d: 25, e: 70 };

type Action =
  | { readonly tag: "acquire" | "prefetch"; readonly key: Key }
  | { readonly tag: "answer"; readonly which: number; readonly well: boolean }
  | { readonly tag: "give-up" | "let-go"; readonly which: number }
  | { readonly tag: "others"; readonly bytes: number }
  | { readonly tag: "evict" | "clear" };

const key = fc.constantFrom(...KEYS);
const which = fc.nat(20);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ tag: fc.constant("acquire" as const), key }) },
  { weight: 3, arbitrary: fc.record({ tag: fc.constant("prefetch" as const), key }) },
  {
    weight: 6,
    arbitrary: fc.record({ tag: fc.constant("answer" as const), which, well: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ tag: fc.constantFrom("give-up" as const, "let-go" as const), which }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      tag: fc.constant("others" as const),
      bytes: fc.constantFrom(0, 35, 95),
    }),
  },
  { weight: 1, arbitrary: fc.record({ tag: fc.constantFrom("evict" as const, "clear" as const) }) },
);

/** One load, and what it holds in memory. */
interface Loaded {
  readonly key: Key;
  readonly answer: (well: boolean) => void;
  /** What it came to. */
  outcome: { readonly value: object } | { readonly error: Error } | undefined;
  /** Who waits for it or has been given it. */
  holders: number;
  /** Nobody is given it any more. */
  isGone: boolean;
}

/** Somebody who asked, and what he was told. */
interface Asker {
  readonly of: Loaded;
  readonly abort: AbortController;
  tag: "waits" | "gave-up" | "has" | "refused" | "let-go";
  lease: Lease<object> | undefined;
  told: unknown;
}

/** The cache, and what it must do: `#loaded` is everything that is in memory, the least recently asked for first. */
class Model {
  readonly memory: MemoryBudget = new MemoryBudget(BUDGET_BYTES);
  readonly cache: LeaseCache<object>;
  #loaded: Loaded[] = [];
  readonly #askers: Asker[] = [];
  #othersBytes = 0;
  /** Of the call that is being made. */
  #begun: Loaded | undefined;

  constructor() {
    const { memory } = this;
    memory.evictWith(() => this.#relieve());
    this.cache = new LeaseCache({ memory, bytesMax: CACHE_BYTES, holder: "test" });
  }

  async do(action: Action): Promise<void> {
    if (action.tag === "acquire") this.#acquire(action.key);
    else if (action.tag === "prefetch") this.#prefetch(action.key);
    else if (action.tag === "answer") this.#answer(action.which, action.well);
    else if (action.tag === "give-up") this.#giveUp(action.which);
    else if (action.tag === "let-go") this.#letGo(action.which);
    else if (action.tag === "others") this.#others(action.bytes);
    else if (action.tag === "evict") assert.equal(this.cache.evict(), this.#evict());
    else this.#clear();
    await turn();
    this.check();
  }

  check(): void {
    const bytes = this.#loaded.reduce((sum, one) => sum + BYTES[one.key], 0);
    assert.equal(this.cache.usedBytes, bytes);
    assert.equal(this.memory.reservedBytes, bytes + this.#othersBytes);
    for (const asker of this.#askers) {
      const { outcome } = asker.of;
      if (asker.tag === "has")
        assert.equal(asker.lease?.value, (outcome as { value: object }).value);
      if (asker.tag === "refused") assert.equal(asker.told, (outcome as { error: Error }).error);
      if (asker.tag === "gave-up") assert.equal(asker.told, asker.abort.signal.reason);
      if (asker.tag === "waits") assert.equal(outcome ?? asker.told, undefined);
    }
  }

  /** Everything is answered, and let go: nothing is held. */
  async end(): Promise<void> {
    while (this.#loaded.some((one) => one.outcome === undefined)) this.#answer(0, true);
    await turn();
    while (this.#askers.some((asker) => asker.tag === "has")) this.#letGo(0);
    this.#clear();
    this.check();
    assert.equal(this.cache.usedBytes, 0);
    assert.equal(this.memory.reservedBytes, this.#othersBytes);
  }

  #acquire(wanted: Key): void {
    const known = this.#known(wanted);
    const fits = known !== undefined || this.#makeRoom(BYTES[wanted], true);
    const abort = new AbortController();
    const asked = this.cache.acquire(wanted, BYTES[wanted], () => this.#load(wanted), abort.signal);
    const of = known ?? this.#begun;
    this.#begun = undefined;
    if (of === undefined) {
      assert.equal(fits, false, "nothing was loaded, and there is room");
      asked.catch((error: unknown) => assert.match(String(error), /nothing that is held/));
      return;
    }
    assert.ok(fits, "loaded what there is no room for");
    this.#loaded = [...this.#loaded.filter((one) => one !== of), of];
    of.holders += 1;
    const asker: Asker = { of, abort, tag: "waits", lease: undefined, told: undefined };
    this.#askers.push(asker);
    if (of.outcome !== undefined) asker.tag = "has";
    asked.then(
      (lease) => {
        asker.lease = lease;
      },
      (error: unknown) => {
        asker.told = error;
      },
    );
  }

  #prefetch(wanted: Key): void {
    const known = this.#known(wanted);
    const fits = known !== undefined || this.#makeRoom(BYTES[wanted], false);
    assert.equal(
      this.cache.prefetch(wanted, BYTES[wanted], () => this.#load(wanted)),
      fits,
    );
    if (this.#begun !== undefined) this.#loaded.push(this.#begun);
    this.#begun = undefined;
  }

  /** Called by the cache, at most once a call, and for what nobody has or waits for. */
  #load(wanted: Key): Promise<object> {
    assert.equal(this.#known(wanted), undefined, "loaded twice");
    assert.equal(this.#begun, undefined);
    return new Promise((resolve, reject) => {
      const loaded: Loaded = {
        key: wanted,
        answer: (well) => {
          loaded.outcome = well ? { value: {} } : { error: new Error("no answer") };
          if ("value" in loaded.outcome) resolve(loaded.outcome.value);
          else reject(loaded.outcome.error);
        },
        outcome: undefined,
        holders: 0,
        isGone: false,
      };
      this.#begun = loaded;
    });
  }

  #answer(at: number, well: boolean): void {
    const waiting = this.#loaded.filter((one) => one.outcome === undefined);
    const one = waiting[at % waiting.length];
    if (one === undefined) return;
    one.answer(well);
    for (const asker of this.#askers) {
      if (asker.of !== one || asker.tag !== "waits") continue;
      asker.tag = well ? "has" : "refused";
      if (!well) one.holders -= 1;
    }
    if (!well) one.isGone = true;
    this.#forget();
  }

  #giveUp(at: number): void {
    const waiting = this.#askers.filter((asker) => asker.tag === "waits");
    const asker = waiting[at % waiting.length];
    if (asker === undefined) return;
    asker.tag = "gave-up";
    asker.abort.abort(new Error("enough"));
    asker.of.holders -= 1;
    this.#forget();
  }

  #letGo(at: number): void {
    const having = this.#askers.filter((asker) => asker.tag === "has");
    const asker = having[at % having.length];
    if (asker === undefined) return;
    asker.tag = "let-go";
    asker.lease?.release();
    asker.of.holders -= 1;
    this.#forget();
  }

  #others(bytes: number): void {
    this.memory.release(this.#othersBytes);
    this.#othersBytes = this.memory.tryReserve(bytes) ? bytes : 0;
  }

  #clear(): void {
    this.cache.clear();
    for (const one of this.#loaded) one.isGone = true;
    this.#forget();
  }

  #known(wanted: Key): Loaded | undefined {
    return this.#loaded.find((one) => one.key === wanted && !one.isGone);
  }

  /** Whether there is room, once what the cache gives up for it is gone. */
  #makeRoom(bytes: number, isWaitedFor: boolean): boolean {
    const held = (): number => this.#loaded.reduce((sum, one) => sum + BYTES[one.key], 0);
    while (held() > 0 && held() + bytes > CACHE_BYTES) if (!this.#evict()) return false;
    while (held() + this.#othersBytes + bytes > BUDGET_BYTES) {
      if (this.#evict()) continue;
      return isWaitedFor && held() + bytes <= BUDGET_BYTES;
    }
    return true;
  }

  /** What others hold they give up at once. */
  #relieve(): boolean {
    const bytes = this.#othersBytes;
    this.#others(0);
    return bytes > 0;
  }

  #evict(): boolean {
    const one = this.#loaded.find(
      (loaded) => loaded.outcome !== undefined && loaded.holders === 0 && !loaded.isGone,
    );
    if (one === undefined) return false;
    one.isGone = true;
    this.#forget();
    return true;
  }

  #forget(): void {
    this.#loaded = this.#loaded.filter(
      (one) => !one.isGone || one.holders > 0 || one.outcome === undefined,
    );
  }
}

/** Lets every promise settle that waits for nothing. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("one load for all who wait, its failure for them alone, and a budget that is exact after each step", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const model = new Model();
      for (const one of actions) await model.do(one);
      await model.end();
    }),
    { numRuns },
  );
});
