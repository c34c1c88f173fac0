import { type Random, randomInteger } from "@karst/runtime";
import * as broker from "../kafka/broker-steps.ts";
import { pick } from "../world/draw.ts";
import type { Ending } from "../world/machine.ts";
import { card, type CardOf } from "../world/story.ts";
import type { GroupsRun } from "./groups-run.ts";
import { ALONE, GROUPS } from "./limits.ts";
import * as steps from "./steps.ts";
import { surge, type Surge, type SurgeEnding } from "./surge.ts";

const none = (): readonly [] => [];
const slot = (random: Random): number => randomInteger(random, 0, 99);
const group = (random: Random): string => pick(random, ["g0", "g0", "g0", "g1", ALONE]);
const managed = (random: Random): string => pick(random, GROUPS);
const ending = (random: Random): Ending =>
  pick(random, ["power", "power", "power-synced", "power-all", "kill", "kill"]);

const topic = (random: Random): string => pick(random, ["t0", "t0", "t1"]);
const load = (random: Random): broker.Load => ({
  times: pick(random, [1, 3, 6]),
  count: pick(random, [1, 1, 2, 5]),
  recordBytes: pick(random, [10, 40, 200]),
});

const MEMBERS_SURGES: readonly Surge["members"][] = [
  "commit",
  "commit",
  "leave",
  "rejoin",
  "twin",
  "dissolve",
  "recreate",
];
const what = (random: Random): Surge => ({
  members: pick(random, MEMBERS_SURGES),
  alone: pick(random, ["commit", "delete-offset", "delete-group"] as const),
});
/** What is not durable is gone, mostly. */
const surgeEnding = (random: Random): SurgeEnding =>
  pick(random, ["power", "power-synced", "power-synced", "kill", "failed-sync"]);

export const DECK: readonly CardOf<GroupsRun>[] = [
  card("load", 16, "commit", steps.commit, (r) => [
    pick(r, [slot(r), "all" as const]),
    pick(r, [1, 1, 2, 4]),
  ]),
  card("load", 14, "produce", broker.produce, (r) => [slot(r), topic(r), slot(r), load(r)]),
  card("load", 10, "pass", broker.pass, (r) => [pick(r, [1, 20, 200, 500, 1_000, 3_000])]),
  card("load", 4, "start", () => broker.start, none),
  card("load", 4, "join", steps.join, (r) => [slot(r)]),
  card("load", 5, "read", steps.read, (r) => [group(r), pick(r, ["all" as const, slot(r)])]),
  card("load", 2, "commitAlone", steps.commitAlone, (r) => [pick(r, [ALONE, group(r)]), slot(r)]),
  card("other", 10, "surge", surge, (r) => [
    what(r),
    slot(r),
    randomInteger(r, 1, 8),
    surgeEnding(r),
  ]),
  card("other", 2, "recreate", broker.recreate, (r) => [topic(r), randomInteger(r, 1, 8)]),
  card("other", 1, "renew", broker.renew, (r) => [slot(r)]),
  card("other", 1, "trim", broker.trim, (r) => [topic(r), slot(r), pick(r, [0.2, 0.5, 1])]),
  card("other", 3, "leave", steps.leave, (r) => [slot(r)]),
  card("other", 3, "kill", steps.kill, (r) => [slot(r)]),
  card("other", 3, "pause", steps.pause, (r) => [slot(r), pick(r, [300, 1_500, 3_000, 7_000])]),
  card("other", 2, "rejoin", steps.rejoin, (r) => [slot(r)]),
  card("other", 3, "twin", steps.twin, (r) => [slot(r)]),
  card("other", 1, "remove", steps.remove, (r) => [slot(r)]),
  card("other", 2, "forge", steps.forge, (r) => [managed(r), slot(r)]),
  card("other", 1, "deleteGroup", steps.deleteGroup, (r) => [group(r)]),
  card("other", 1, "dissolve", steps.dissolve, (r) => [managed(r)]),
  card("other", 2, "deleteOffset", steps.deleteOffset, (r) => [
    pick(r, [ALONE, group(r)]),
    slot(r),
  ]),
  card("other", 2, "describe", steps.describe, (r) => [managed(r)]),
  card("other", 1, "list", steps.list, none),
  card("other", 2, "cut", broker.cut, (r) => [pick(r, [slot(r), slot(r), "all" as const])]),
  card("other", 3, "cutInside", broker.cutInside, (r) => [
    randomInteger(r, 1, 2_000),
    pick(r, [slot(r), "broker" as const]),
  ]),
  card("other", 2, "stall", broker.stall, (r) => [slot(r), pick(r, [50, 1_000, 12_000])]),
  card("other", 2, "upload", () => broker.upload, none),
  card("other", 1, "close", () => broker.close, none),
  card("other", 3, "crash", broker.crash, (r) => [ending(r)]),
  card("other", 5, "crashAfter", broker.crashAfter, (r) => [randomInteger(r, 1, 60), ending(r)]),
  card("other", 2, "outage", broker.outage, (r) => [pick(r, [true, false])]),
  card("other", 2, "unreliable", broker.unreliable, (r) => [pick(r, [true, false])]),
  card("other", 1, "failSync", broker.failSync, (r) => [
    pick(r, ["lost-sync", "EIO"] as const),
    randomInteger(r, 0, 3),
  ]),
  card("other", 1, "fill", broker.fill, (r) => [pick(r, [true, false])]),
  card("other", 1, "skew", steps.skew, (r) => [pick(r, [-1_500_000, -50, 0, 50, 1_500_000])]),
];
