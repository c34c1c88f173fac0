import { type Random, randomInteger } from "@karst/runtime";
import { pick } from "../world/draw.ts";
import type { Ending } from "../world/machine.ts";
import { card, type CardOf } from "../world/story.ts";
import * as broker from "./broker-steps.ts";
import type { KafkaRun } from "./kafka-run.ts";
import { HOSTILITIES } from "./hostile.ts";
import * as steps from "./steps.ts";

const none = (): readonly [] => [];
const topic = (random: Random): string => pick(random, ["t0", "t1"]);
const client = (random: Random): number => randomInteger(random, 0, 11);
const ending = (random: Random): Ending =>
  pick(random, ["power", "power", "power-synced", "power-all", "kill", "kill"]);
const load = (random: Random): broker.Load => ({
  times: pick(random, [1, 3, 6, 12]),
  count: pick(random, [1, 1, 2, 5]),
  recordBytes: pick(random, [10, 40, 200, 600]),
});

export const DECK: readonly CardOf<KafkaRun>[] = [
  card("load", 20, "produce", broker.produce, (r) => [client(r), topic(r), client(r), load(r)]),
  card("load", 12, "pass", broker.pass, (r) => [pick(r, [1, 5, 20, 100, 100, 500, 3_000])]),
  card("load", 4, "turn", () => broker.turn, none),
  card("load", 4, "start", () => broker.start, none),
  card("other", 3, "cut", broker.cut, (r) => [pick(r, [client(r), client(r), "all" as const])]),
  card("other", 4, "cutInside", broker.cutInside, (r) => [
    randomInteger(r, 1, 2_000),
    pick(r, [client(r), "broker" as const]),
  ]),
  card("other", 2, "stall", broker.stall, (r) => [client(r), pick(r, [50, 1_000, 12_000])]),
  card("other", 2, "hostile", steps.hostile, (r) => [pick(r, HOSTILITIES)]),
  card("other", 1, "recreate", broker.recreate, (r) => [topic(r), randomInteger(r, 1, 3)]),
  card("other", 1, "renew", broker.renew, (r) => [client(r)]),
  card("other", 1, "list", () => steps.list, none),
  card("other", 2, "upload", () => broker.upload, none),
  card("other", 2, "trim", broker.trim, (r) => [topic(r), client(r), pick(r, [0.2, 0.5, 1])]),
  card("other", 1, "close", () => broker.close, none),
  card("other", 3, "crash", broker.crash, (r) => [ending(r)]),
  card("other", 4, "crashAfter", broker.crashAfter, (r) => [randomInteger(r, 1, 60), ending(r)]),
  card("other", 2, "outage", broker.outage, (r) => [pick(r, [true, false])]),
  card("other", 2, "unreliable", broker.unreliable, (r) => [pick(r, [true, false])]),
  card("other", 1, "failSync", broker.failSync, (r) => [
    pick(r, ["lost-sync", "EIO"] as const),
    randomInteger(r, 0, 3),
  ]),
  card("other", 2, "fill", broker.fill, (r) => [pick(r, [true, false])]),
  card("other", 1, "skew", broker.skew, (r) => [pick(r, [-1_500_000, -50, 0, 50, 1_500_000])]),
];
