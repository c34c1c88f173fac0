import { type Random, randomInteger } from "@karst/runtime";
import { pick } from "../world/draw.ts";
import type { Ending } from "../world/machine.ts";
import { card, type CardOf } from "../world/story.ts";
import type { Batches, Wait } from "../world/wait.ts";
import type { Cluster } from "./cluster.ts";
import * as contests from "./contest-steps.ts";
import * as doubts from "./doubt-steps.ts";
import * as faults from "./fault-steps.ts";
import * as load from "./load-steps.ts";
import * as nodes from "./node-steps.ts";
import type { Which } from "./step.ts";
import * as topics from "./topic-steps.ts";

const nothing = (): [] => [];
const name = (random: Random): string => pick(random, ["a", "a", "b"]);
const which = (random: Random): Which => [name(random), randomInteger(random, 0, 2)];
const partitions = (random: Random): number => randomInteger(random, 1, 3);
const where = (random: Random): number => randomInteger(random, 0, 8) / 8;
const wait = (random: Random): Wait => pick(random, ["no", "turn", "moment", "done"]);
const ending = (random: Random): Ending =>
  pick(random, ["power", "power", "power-synced", "power-all", "kill"]);
const batches = (random: Random): Batches => ({
  times: pick(random, [1, 1, 3, 8]),
  count: pick(random, [1, 1, 2, 7]),
  bytes: pick(random, [20, 200, 700, 2500]),
  wait: wait(random),
});

const coin = (random: Random): boolean => randomInteger(random, 0, 1) === 1;
/** Several segments full. */
const backlog = (random: Random): Batches => ({
  times: pick(random, [4, 7, 7]),
  count: 1,
  bytes: 2500,
  wait: pick(random, ["done", "done", "done", "turn"] as const),
});
/** Between two things that are to meet. */
const stagger = (random: Random): number => pick(random, [0, 0, 1, 3, 10, 30, 100]);
/** A commit's tries end after three seconds or so. */
const doubt = (random: Random): doubts.Doubt => ({
  lateMs: randomInteger(random, 1_000, 9_000),
  untilMs: 10_000,
  isAway: pick(random, [true, false]),
});

/** The cards of a world of so many machines. */
export function clusterDeck(machines: number): readonly CardOf<Cluster>[] {
  const machine = (random: Random): number => randomInteger(random, 0, machines - 1);
  return [
    card("load", 7, "muster", () => nodes.muster, nothing),
    card("load", 2, "open", nodes.open, (r) => [machine(r)]),
    card("load", 4, "create", topics.create, (r) => [machine(r), name(r), partitions(r)]),
    card("load", 2, "createAtOnce", topics.createAtOnce, (r) => [name(r), partitions(r)]),
    card("other", 1, "remove", topics.remove, (r) => [machine(r), name(r), wait(r)]),
    card("load", 4, "take", load.take, (r) => [machine(r), which(r)]),
    card("load", 8, "append", load.append, (r) => [machine(r), which(r), batches(r)]),
    card("load", 8, "produce", load.produce, (r) => [machine(r), which(r), batches(r)]),
    card("other", 3, "resend", load.resend, (r) => [machine(r), which(r), randomInteger(r, 0, 4)]),
    card("load", 3, "read", load.read, (r) => [which(r), where(r), pick(r, [1, 600, 5000])]),
    card("load", 3, "follow", load.follow, (r) => [which(r), pick(r, [1, 5, 20])]),
    card("other", 2, "find", load.find, (r) => [which(r), where(r)]),
    card("other", 2, "trim", load.trim, (r) => [which(r), where(r), wait(r)]),
    card("other", 3, "upload", load.upload, (r) => [machine(r), wait(r)]),
    card("load", 3, "close", nodes.close, (r) => [machine(r)]),
    card("other", 1, "crashClosing", nodes.crashClosing, (r) => [
      machine(r),
      randomInteger(r, 1, 30),
      ending(r),
    ]),
    card("other", 2, "crash", nodes.crash, (r) => [machine(r), ending(r)]),
    card("other", 3, "crashAfter", nodes.crashAfter, (r) => [
      machine(r),
      randomInteger(r, 1, 120),
      ending(r),
    ]),
    card("other", 2, "race", contests.race, (r) => [machine(r), stagger(r)]),
    card("other", 3, "overlap", contests.overlap, (r) => [
      which(r),
      backlog(r),
      pick(r, [-30, 0, 20]),
      pick(r, [0, 60, 120]),
    ]),
    card("other", 2, "turnover", contests.turnover, (r) => [machine(r), coin(r)]),
    card("other", 2, "doubtCommit", doubts.doubtCommit, (r) => [
      pick(r, ["trim", "upload"] as const),
      which(r),
      where(r),
      doubt(r),
    ]),
    card("other", 1, "doubtOpening", doubts.doubtOpening, (r) => [machine(r), doubt(r)]),
    card("other", 2, "zombie", nodes.zombie, (r) => [
      machine(r),
      which(r),
      randomInteger(r, 0, 6),
      pick(r, [100, 900]),
    ]),
    card("other", 2, "haunt", nodes.haunt, (r) => [
      pick(r, ["append", "append", "upload", "trim", "read", "close"] as const),
      where(r),
    ]),
    card("other", 1, "takeProducerIds", topics.takeProducerIds, (r) => [
      machine(r),
      pick(r, [1, 6]),
    ]),
    card("other", 3, "churn", topics.churn, (r) => [machine(r), pick(r, [1, 6, 20])]),
    card("other", 1, "refresh", topics.refresh, (r) => [machine(r)]),
    card("other", 1, "skew", faults.skew, (r) => [pick(r, [-1_500_000, -50, 0, 50, 1_500_000])]),
    card("other", 2, "pass", faults.pass, (r) => [pick(r, [1, 50, 1000, 20_000])]),
    card("other", 1, "failSync", faults.failSync, (r) => [
      machine(r),
      pick(r, ["lost-sync", "EIO"] as const),
      randomInteger(r, 0, 3),
    ]),
    card("other", 2, "outage", faults.outage, (r) => [pick(r, [true, false, false])]),
    card("other", 3, "unreliable", faults.unreliable, (r) => [pick(r, [true, true, false])]),
  ];
}
