import { type FaultPlan, faultRates } from "@karst/objectstore";

const LOST = { unavailable: 0.03, "lost-answer": 0.03, "lost-request": 0.03, "late-effect": 0.03 };
const LATE_MS = { min: 1, max: 8_000 };
const SPOILED = faultRates({ "flipped-bit": 0.1, truncated: 0.1, overlong: 0.1, "not-found": 0.1 });

/** Requests of one object that are left alone after one was spoiled, whoever's they are: spoiled twice, it would be corrupt. */
const UNSPOILED = 40;

/** Requests to the store, and its answers, get lost, or come late. */
export const lossyConnection: FaultPlan = faultRates(LOST, LATE_MS);

/** The same, and listings show what was. */
export const staleConnection: FaultPlan = faultRates({ ...LOST, "stale-list": 0.1 }, LATE_MS);

const LOST_GETS = faultRates({ unavailable: 0.25, "lost-answer": 0.25 });
const SPOILED_GETS = faultRates({
  "flipped-bit": 0.2,
  truncated: 0.2,
  overlong: 0.2,
  "not-found": 0.4,
});

/** Half of what is read of objects gets lost; everything else comes through. */
export const lostGets: FaultPlan = (call, random) =>
  call.method === "get" && call.key.startsWith("objects/") ? LOST_GETS(call, random) : undefined;

/** The same, and the first answer about each object is wrong. @param unspoiled as of `spoilingConnection`. */
export function spoiledGets(lossy: FaultPlan, unspoiled: Map<string, number>): FaultPlan {
  return spoiling(lossy, SPOILED_GETS, unspoiled);
}

/**
 * What objects hold is spoiled on its way, too.
 *
 * @param lossy what happens to requests and answers.
 * @param unspoiled of each object, the requests that are still left alone: to be handed to every later plan for the same store.
 */
export function spoilingConnection(lossy: FaultPlan, unspoiled: Map<string, number>): FaultPlan {
  return spoiling(lossy, SPOILED, unspoiled);
}

function spoiling(lossy: FaultPlan, spoiled: FaultPlan, unspoiled: Map<string, number>): FaultPlan {
  return (call, random) => {
    const lost = lossy(call, random);
    if (lost !== undefined || !call.key.startsWith("objects/")) return lost;
    const left = unspoiled.get(call.key) ?? 0;
    unspoiled.set(call.key, left - 1);
    if (left > 0) return undefined;
    const fault = spoiled(call, random);
    unspoiled.set(call.key, fault === undefined ? 0 : UNSPOILED);
    return fault;
  };
}
