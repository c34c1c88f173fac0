import type { StepOf } from "../world/story.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterLog } from "./cluster-log.ts";
import type { Node } from "./node.ts";

/** One thing that happens in a cluster. */
export type Step = StepOf<Cluster>;

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
