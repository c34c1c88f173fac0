import { type Random, randomInteger } from "@karst/runtime";
import type { ReadMethod, StoreCall, WriteMethod } from "./hooked.ts";

/**
 * What goes wrong with one call.
 *
 * `unavailable`: nothing happens, and the caller knows. `lost-answer`: it happens; the caller learns nothing (a write
 * `indeterminate`, a read `unavailable`). `lost-request`: the same, but it never happens. `late-effect`: the same, and it
 * happens `delayMs` later. `stale-list`: an earlier listing of that prefix is shown. `not-found`: a read of an object that
 * exists says that it does not. `flipped-bit`, `truncated`, `overlong`: the bytes that a get returns.
 */
export type Fault =
  | { readonly tag: "unavailable" }
  | { readonly tag: "lost-answer" }
  | { readonly tag: "lost-request" }
  | { readonly tag: "late-effect"; readonly delayMs: number }
  | { readonly tag: "stale-list" }
  | { readonly tag: "not-found" }
  | { readonly tag: "flipped-bit" }
  | { readonly tag: "truncated" }
  | { readonly tag: "overlong" };

export type FaultTag = Fault["tag"];

/** Decides the fault of a call, from the call and draws of `random` alone. A fault that its method cannot have is none. */
export type FaultPlan = (call: StoreCall, random: Random) => Fault | undefined;

/** Probability of each fault, 0..1, per call that can have it; they add up to at most 1 per call. */
export type FaultRates = Readonly<Partial<Record<FaultTag, number>>>;

export const noFaults: FaultPlan = () => undefined;

const WRITES: readonly WriteMethod[] = [
  "put",
  "putIfAbsent",
  "putIfMatch",
  "delete",
  "part",
  "complete",
  "abort",
];
const READS: readonly ReadMethod[] = ["get", "head", "list"];

/** Which methods can have a fault. Creating an upload has no effect that could be lost or late. */
export const FAULT_METHODS: Readonly<Record<FaultTag, readonly StoreCall["method"][]>> = {
  unavailable: [...WRITES, ...READS, "createMultipart"],
  "lost-answer": [...WRITES, "get", "head"],
  "lost-request": WRITES,
  "late-effect": ["put", "putIfAbsent", "putIfMatch", "delete"],
  "stale-list": ["list"],
  "not-found": ["get", "head"],
  "flipped-bit": ["get"],
  truncated: ["get"],
  overlong: ["get"],
};

export const FAULT_TAGS: readonly FaultTag[] = Object.keys(FAULT_METHODS) as FaultTag[];

/** A plan that draws each call's fault. @param lateMs bounds of a late effect's delay, inclusive. */
export function faultRates(
  rates: FaultRates,
  lateMs: { readonly min: number; readonly max: number } = { min: 1, max: 10_000 },
): FaultPlan {
  return (call, random) => {
    // One draw per call, whatever the rates: changing one of them does not shift the draws of later calls.
    let left = random.u32() / 0x1_0000_0000;
    const lateDraw = randomInteger(random, lateMs.min, lateMs.max);
    for (const tag of FAULT_TAGS) {
      if (!FAULT_METHODS[tag].includes(call.method)) continue;
      const rate = rates[tag] ?? 0;
      if (left < rate) return tag === "late-effect" ? { tag, delayMs: lateDraw } : { tag };
      left -= rate;
    }
    return undefined;
  };
}
