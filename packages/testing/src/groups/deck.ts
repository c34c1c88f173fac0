import { type Random, randomInteger } from "@karst/runtime";
import * as broker from "../kafka/broker-steps.ts";
import { pick } from "../world/draw.ts";
import type { Ending } from "../world/machine.ts";
import { card, type CardOf } from "../world/story.ts";
import { ALONE, GROUPS, type GroupsRun } from "./groups-run.ts";
import * as steps from "./steps.ts";

const none = (): readonly [] => [];
const slot = (random: Random): number => randomInteger(random, 0, 99);
const group = (random: Random): string => pick(random, ["g0", "g0", "g0", "g1", ALONE]);
const managed = (random: Random): string => pick(random, GROUPS);
const ending = (random: Random): Ending =>
  pick(random, ["power", "power", "power-synced", "power-all", "kill", "kill"]);

export const DECK: readonly CardOf<GroupsRun>[] = [
  card("load", 16, "commit", steps.commit, (r) => [
    pick(r, [slot(r), "all" as const]),
    pick(r, [1, 1, 2, 4]),
  ]),
  card("load", 10, "pass", broker.pass, (r) => [pick(r, [1, 20, 200, 500, 1_000, 3_000])]),
  card("load", 4, "start", () => broker.start, none),
  card("load", 4, "join", steps.join, (r) => [slot(r)]),
  card("load", 5, "read", steps.read, (r) => [group(r), pick(r, ["all" as const, slot(r)])]),
  card("load", 2, "commitAlone", steps.commitAlone, (r) => [pick(r, [ALONE, group(r)]), slot(r)]),
  card("other", 6, "surge", steps.surge, (r) => [
    pick(r, ["commit", "commit", "rejoin", "leave", "twin", "dissolve"] as const),
    slot(r),
    randomInteger(r, 1, 8),
    ending(r),
  ]),
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
