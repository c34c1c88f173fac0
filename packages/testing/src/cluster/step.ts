import type { OpenLog } from "../log/open-log.ts";
import { type Cluster, tolerate } from "./cluster.ts";
import type { ClusterLog } from "./cluster-log.ts";
import type { Node } from "./node.ts";

/** How long a step waits for what it has begun: not at all, for what needs no time, a moment, or until it is done. */
export type Wait = "no" | "turn" | "moment" | "done";

/** One thing that happens in a run. */
export type Step = (cluster: Cluster) => Promise<void>;

export interface Batches {
  readonly times: number;
  readonly count: number;
  readonly bytes: number;
  readonly wait: Wait;
}

/** Whose partition: a topic's name, and a number that is taken modulo its partitions. */
export type Which = readonly [name: string, index: number];

/** A partition, and a node that has it. */
export async function held(
  cluster: Cluster,
  which: number,
  name: string,
  index: number,
): Promise<readonly [ClusterLog, Node] | undefined> {
  const log = cluster.logOf(name, index);
  if (log === undefined) return undefined;
  const node = await cluster.holderOf(log, which);
  return node === undefined || !node.isWell || log.topic.state !== "there"
    ? undefined
    : [log, node];
}

export function within(log: OpenLog, where: number): number {
  return log.logStartOffset + Math.floor(where * (log.highWatermark - log.logStartOffset));
}

export async function wait(
  cluster: Cluster,
  node: Node,
  promise: Promise<unknown>,
  how: Wait,
): Promise<void> {
  const { clock } = cluster.world;
  const tolerated = promise.catch(tolerate);
  cluster.watch(tolerated);
  if (how === "turn") await clock.runDeferred();
  if (how === "moment") await clock.advance(2);
  if (how === "done")
    cluster.note("waited", await cluster.world.until(node.process.life, tolerated));
}

export function capture<T>(call: () => Promise<T>): Promise<T> {
  return Promise.resolve().then(call);
}
