import { type Random, randomInteger } from "@karst/runtime";
import type { Ending } from "../world/machine.ts";
import { card, type CardOf } from "../world/story.ts";
import type { Batches, Wait } from "../world/wait.ts";
import type { Habits } from "./catch-up-reader.ts";
import type { BadReads, CatchUp } from "./catch-up-steps.ts";
import type { Run } from "./run.ts";
import { pick } from "../world/draw.ts";
import * as steps from "./steps.ts";

const log = (random: Random): number => randomInteger(random, 0, 2);
/** A producer. */
const client = (random: Random): number => randomInteger(random, 0, 3);
const partition = (random: Random): number => randomInteger(random, 1, 2);
const where = (random: Random): number => randomInteger(random, 0, 8) / 8;
const wait = (random: Random): Wait => pick(random, ["no", "turn", "moment", "done"]);
/** Not to the end. */
const brief = (random: Random): Wait => pick(random, ["no", "turn", "moment"]);
const coin = (random: Random): boolean => randomInteger(random, 0, 1) === 1;
const ending = (random: Random): Ending =>
  pick(random, ["power", "power", "power-synced", "power-all", "kill"]);
const batches = (random: Random): Batches => ({
  times: pick(random, [1, 1, 3, 12]),
  count: pick(random, [1, 1, 2, 7]),
  bytes: pick(random, [20, 200, 700, 2500, 5000]),
  wait: wait(random),
  lateMs: pick(random, [0, 60_000, -60_000]),
  stepMs: pick(random, [0, 0, 1, -1, 20_000]),
});
/** Many small ones: what a service under load does. */
const burst = (random: Random): Batches => ({
  times: pick(random, [10, 12, 14]),
  count: 1,
  bytes: pick(random, [20, 20, 20, 60]),
  wait: pick(random, ["no", "no", "turn"]),
});
/** Of a reader that catches up. */
const habits = (random: Random): Habits & { readonly where: number } => ({
  where: pick(random, [0, 0, 0.125, 0.5]),
  bytesMax: pick(random, [1, 600, 2_500]),
  pauseMs: pick(random, [0, 0, 1, 40, 3_000]),
  holdMs: pick(random, [0, 0, 5, 2_000]),
  patienceMs: pick(random, [undefined, undefined, 0, 3, 200]),
});
const bad = (random: Random): BadReads => pick(random, ["lost", "spoiled", "late", "all", "none"]);
const catchUp = (random: Random): CatchUp => ({
  index: log(random),
  stocked: pick(random, [0, 12, 20]),
  cold: pick(random, [true, true, false]),
  bad: bad(random),
  readers: Array.from({ length: randomInteger(random, 1, 4) }, () => habits(random)),
  ms: pick(random, [0, 1, 60, 2_000]),
  afterwards: pick(random, ["on", "on", "calm", "calm", "trim", "close", "abandon"]),
});
const gap = (random: Random): number => pick(random, [0, 0, 0, 7, 5000]);

export const DECK: readonly CardOf<Run>[] = [
  card("load", 8, "append", steps.append, (r) => [log(r), gap(r), batches(r)]),
  card("load", 8, "produce", steps.produce, (r) => [client(r), batches(r)]),
  card("other", 2, "appendIf", steps.appendIf, (r) => [
    partition(r),
    pick(r, [0, 0, 0, -1, 1, -7]),
  ]),
  card("other", 3, "resend", steps.resend, (r) => [client(r), randomInteger(r, 0, 4)]),
  card("other", 2, "stray", steps.stray, (r) => [
    client(r),
    pick(r, ["older-epoch", "ahead"] as const),
  ]),
  card("other", 1, "bump", steps.bump, (r) => [client(r)]),
  card(
    "other",
    1,
    "takeProducerIds",
    steps.takeProducerIds,
    // At most more than the catalogue gives at once.
    (r) => [pick(r, [1, 1, 1, 1_001])],
  ),
  card("load", 4, "read", steps.read, (r) => [log(r), where(r), pick(r, [1, 600, 5000])]),
  card("other", 3, "catchUp", steps.catchUp, (r) => [catchUp(r)]),
  card("fault", 1, "badReads", steps.badReads, (r) => [bad(r)]),
  card("fault", 1, "calm", steps.calm, (r) => [pick(r, [1, 700])]),
  card("fault", 1, "squeeze", steps.squeeze, (r) => [
    pick(r, [0, 600, 1_500, 6_000]),
    pick(r, [10, 1_000, 5_000]),
  ]),
  card("other", 2, "readAway", steps.readAway, (r) => [log(r), where(r), pick(r, [600, 5000])]),
  card("other", 4, "find", steps.find, (r) => [log(r), where(r)]),
  card(
    "load",
    2,
    "flush",
    () => steps.flush,
    () => [],
  ),
  card("other", 3, "upload", steps.upload, (r) => [wait(r)]),
  card("load", 3, "trim", steps.trim, (r) => [log(r), where(r), wait(r)]),
  card("other", 2, "trimTwice", steps.trimTwice, (r) => [log(r), where(r), where(r), brief(r)]),
  card("other", 2, "passing", steps.passing, (r) => [
    pick(r, [1, 3]),
    pick(r, [100, 900]),
    wait(r),
    pick(r, ["deleted", "deleted", "left"] as const),
  ]),
  card("other", 2, "pass", steps.pass, (r) => [pick(r, [1, 50, 1000, 20_000])]),
  card("other", 1, "skew", steps.skew, (r) => [pick(r, [-1_500_000, -50, 0, 50, 1_500_000])]),
  card("other", 2, "reopen", steps.reopen, (r) => [
    log(r),
    pick(r, [0, 1, 4]),
    pick(r, [0, 1, 5, 20]),
  ]),
  card("fault", 3, "crash", steps.crash, (r) => [ending(r)]),
  card("fault", 3, "crashAfter", steps.crashAfter, (r) => [randomInteger(r, 1, 120), ending(r)]),
  card(
    "other",
    1,
    "close",
    () => steps.close,
    () => [],
  ),
  card(
    "fault",
    1,
    "supersede",
    () => steps.supersede,
    () => [],
  ),
  card(
    "fault",
    1,
    "abandon",
    () => steps.abandon,
    () => [],
  ),
  card("fault", 3, "endReading", steps.endReading, (r) => [
    pick(r, ["abandon", "abandon", "close"] as const),
    log(r),
    where(r),
  ]),
  card("fault", 2, "zombie", steps.zombie, (r) => [
    log(r),
    randomInteger(r, 0, 6),
    pick(r, [100, 900]),
    coin(r),
  ]),
  card("fault", 2, "haunt", steps.haunt, (r) => [
    log(r),
    pick(r, ["append", "upload", "trim", "read"] as const),
    where(r),
  ]),
  card(
    "fault",
    1,
    "race",
    () => steps.race,
    () => [],
  ),
  card("fault", 2, "outage", steps.outage, (r) => [coin(r)]),
  card("fault", 4, "unreliable", steps.unreliable, (r) => [pick(r, [true, true, false])]),
  card("fault", 1, "failSync", steps.failSync, (r) => [
    pick(r, ["lost-sync", "EIO"] as const),
    randomInteger(r, 0, 3),
  ]),
  card("fault", 1, "failNames", steps.failNames, (r) => [
    pick(r, ["rename", "remove", "syncDirectory", "open", "close", "list"] as const),
    randomInteger(r, 0, 3),
  ]),
  card("fault", 1, "fill", steps.fill, (r) => [coin(r)]),
];

/** Cards of a story that is to last: a steady load, and faults now and then. */
export const STEADY_DECK: readonly CardOf<Run>[] = [
  card("load", 700, "append", steps.append, (r) => [log(r), 0, burst(r)]),
  card("load", 250, "produce", steps.produce, (r) => [client(r), burst(r)]),
  card("load", 60, "trim", steps.trim, (r) => [
    log(r),
    pick(r, [0.5, 0.75, 0.875]),
    pick(r, ["no", "moment"] as const),
  ]),
  card("other", 60, "read", steps.read, (r) => [log(r), where(r), pick(r, [600, 5000])]),
  ...DECK.filter(({ name }) => !["append", "produce", "trim", "read", "pass"].includes(name)),
];
