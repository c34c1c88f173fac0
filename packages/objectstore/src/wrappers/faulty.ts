import {
  assert,
  type Clock,
  concatBytes,
  isKarstError,
  type Random,
  randomInteger,
  sleep,
} from "@karst/runtime";
import { bodyParts } from "../body.ts";
import { objectStoreError } from "../errors.ts";
import type { ObjectInfo, ObjectStore } from "../object-store.ts";
import {
  type Fault,
  FAULT_METHODS,
  FAULT_TAGS,
  type FaultPlan,
  type FaultTag,
} from "./fault-plan.ts";
import {
  HookedObjectStore,
  type ListPass,
  type Pass,
  type StoreCall,
  type StoreHooks,
  type WriteCall,
} from "./hooked.ts";
import { StaleListings } from "./stale-listings.ts";

export interface FaultyOptions {
  readonly random: Random;
  readonly plan: FaultPlan;
  /** For latency and late effects. */
  readonly clock?: Clock;
  /** Time between the call and its answer, drawn uniformly; a random part of it passes before the effect. */
  readonly latencyMs?: { readonly min: number; readonly max: number };
}

export type FaultCounts = Readonly<Record<FaultTag | "outage", number>>;

/** A store that fails as object stores do, the same way for the same seed and the same calls. */
export interface FaultyObjectStore extends ObjectStore {
  /** Faults that took place, by name; `outage` counts the calls refused while down. */
  readonly counts: FaultCounts;
  /** Late effects that have not happened yet. Closing the store does not hold them up. */
  readonly lateEffects: number;
  /** From now on every call is refused before it has any effect. */
  down(): void;
  up(): void;
  /** Replaces the plan: `noFaults` heals the store. */
  setPlan(plan: FaultPlan): void;
}

export function faultyObjectStore(store: ObjectStore, options: FaultyOptions): FaultyObjectStore {
  return new Faulty(store, new Faults(options));
}

class Faulty extends HookedObjectStore implements FaultyObjectStore {
  readonly #faults: Faults;

  constructor(store: ObjectStore, faults: Faults) {
    super(store, faults);
    this.#faults = faults;
  }

  get counts(): FaultCounts {
    return { ...this.#faults.counts };
  }

  get lateEffects(): number {
    return this.#faults.lateEffects;
  }

  down(): void {
    this.#faults.isDown = true;
  }

  up(): void {
    this.#faults.isDown = false;
  }

  setPlan(plan: FaultPlan): void {
    this.#faults.plan = plan;
  }
}

/** Owns the draws, the counts and the effects that are yet to happen. */
class Faults implements StoreHooks {
  plan: FaultPlan;
  isDown = false;
  lateEffects = 0;
  readonly counts: Record<FaultTag | "outage", number>;
  readonly #random: Random;
  readonly #clock: Clock | undefined;
  readonly #latencyMs: { readonly min: number; readonly max: number } | undefined;
  readonly #listings: StaleListings = new StaleListings();

  constructor(options: FaultyOptions) {
    this.plan = options.plan;
    this.#random = options.random;
    this.#clock = options.clock;
    this.#latencyMs = options.latencyMs;
    this.counts = Object.fromEntries([...FAULT_TAGS, "outage"].map((tag) => [tag, 0])) as Record<
      FaultTag | "outage",
      number
    >;
    if (options.latencyMs !== undefined && options.clock === undefined)
      throw new TypeError("latency needs a clock");
  }

  async write<T>(call: WriteCall, pass: Pass<T>): Promise<T> {
    const { fault, answer } = await this.#begin(call);
    switch (fault?.tag) {
      case "lost-answer":
        await pass({ signal: call.signal });
        throw this.#unknown(call, fault);
      case "late-effect":
        this.#later(call, fault.delayMs, pass);
        throw this.#unknown(call, fault);
      case "lost-request":
        throw this.#unknown(call, fault);
      default: {
        const result = await pass({ signal: call.signal });
        await answer();
        return result;
      }
    }
  }

  async get(call: StoreCall, pass: Pass<Uint8Array>): Promise<Uint8Array> {
    const { fault, answer } = await this.#begin(call);
    const bytes = await pass({ signal: call.signal });
    await answer();
    const harmless =
      bytes.length === 0 && (fault?.tag === "flipped-bit" || fault?.tag === "truncated");
    if (fault === undefined || harmless) return bytes;
    this.#count(fault);
    switch (fault.tag) {
      case "not-found":
        throw objectStoreError("OBJECT_NOT_FOUND", `injected: no object ${call.key}`);
      case "flipped-bit":
        flipBit(bytes, this.#random);
        return bytes;
      case "truncated":
        return bytes.slice(0, randomInteger(this.#random, 0, bytes.length - 1));
      case "overlong":
        return concatBytes([bytes, this.#random.bytes(randomInteger(this.#random, 1, 64))]);
      default:
        throw refusal(call, fault.tag);
    }
  }

  async head(call: StoreCall, pass: Pass<ObjectInfo | undefined>): Promise<ObjectInfo | undefined> {
    const { fault, answer } = await this.#begin(call);
    const info = await pass({ signal: call.signal });
    await answer();
    if (fault === undefined) return info;
    if (fault.tag === "not-found" && info === undefined) return undefined;
    this.#count(fault);
    if (fault.tag === "not-found") return undefined;
    throw refusal(call, fault.tag);
  }

  async *list(
    call: StoreCall & { readonly startAfter: string },
    pass: ListPass,
  ): AsyncGenerator<ObjectInfo, void, undefined> {
    const { fault, answer } = await this.#begin(call);
    await answer();
    const stale =
      fault?.tag === "stale-list" ? this.#listings.earlier(call.key, call.startAfter) : undefined;
    if (fault !== undefined && stale !== undefined) {
      this.#count(fault);
      yield* stale;
      return;
    }
    yield* this.#listings.recorded(
      call.key,
      call.startAfter,
      pass({ startAfter: call.startAfter, signal: call.signal }),
    );
  }

  /** Draws the call's fault, lets the first part of its latency pass, and refuses it where it is not to happen. */
  async #begin(
    call: StoreCall,
  ): Promise<{ readonly fault: Fault | undefined; readonly answer: () => Promise<void> }> {
    const planned = this.plan(call, this.#random);
    const fault =
      planned !== undefined && FAULT_METHODS[planned.tag].includes(call.method)
        ? planned
        : undefined;
    const latencyMs =
      this.#latencyMs === undefined
        ? 0
        : randomInteger(this.#random, this.#latencyMs.min, this.#latencyMs.max);
    const beforeMs = latencyMs === 0 ? 0 : randomInteger(this.#random, 0, latencyMs);
    await this.#pause(beforeMs, call, "unavailable");
    if (this.isDown) {
      this.counts.outage += 1;
      throw refusal(call, "outage");
    }
    if (fault?.tag === "unavailable") {
      this.#count(fault);
      throw refusal(call, fault.tag);
    }
    const aborted = "body" in call ? "indeterminate" : "unavailable";
    return { fault, answer: () => this.#pause(latencyMs - beforeMs, call, aborted) };
  }

  async #pause(
    delayMs: number,
    call: StoreCall,
    aborted: "unavailable" | "indeterminate",
  ): Promise<void> {
    if (delayMs === 0 || this.#clock === undefined) return;
    try {
      await sleep(this.#clock, delayMs, call.signal);
    } catch (reason) {
      throw objectStoreError(
        aborted === "unavailable" ? "UNAVAILABLE" : "UNKNOWN_OUTCOME",
        `${call.method} of ${call.key} was aborted`,
        reason,
      );
    }
  }

  /** Keeps a copy of the body, which is the caller's again when the call rejects. */
  #later<T>(call: WriteCall, delayMs: number, pass: Pass<T>): void {
    if (this.#clock === undefined) throw new TypeError("late effects need a clock");
    const body = call.body === undefined ? undefined : concatBytes(bodyParts(call.body));
    this.lateEffects += 1;
    this.#clock.setTimer(delayMs, () => {
      pass({ body }).then(
        () => {
          this.lateEffects -= 1;
        },
        (error: unknown) => {
          this.lateEffects -= 1;
          // Nobody waits for the answer: a refusal by the store is as good as an effect that never came.
          assert(
            isKarstError(error),
            "a late effect failed with something other than the store's own errors",
          );
        },
      );
    });
  }

  #unknown(call: StoreCall, fault: Fault): Error {
    this.#count(fault);
    return objectStoreError(
      "UNKNOWN_OUTCOME",
      `injected ${fault.tag}: ${call.method} of ${call.key}`,
    );
  }

  #count(fault: Fault): void {
    this.counts[fault.tag] += 1;
  }
}

function refusal(call: StoreCall, tag: string): Error {
  return objectStoreError("UNAVAILABLE", `injected ${tag}: ${call.method} of ${call.key}`);
}

function flipBit(bytes: Uint8Array, random: Random): void {
  const bit = randomInteger(random, 0, bytes.length * 8 - 1);
  const index = Math.floor(bit / 8);
  bytes[index] = (bytes[index] as number) ^ (1 << (bit % 8));
}
