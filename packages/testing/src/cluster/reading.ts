import { isKarstError } from "@karst/runtime";
import { readWhole } from "../log/whole-log.ts";
import type { World } from "../world/world.ts";
import type { ClusterLog } from "./cluster-log.ts";
import type { Node } from "./node.ts";

/** Reads a whole log on a node; false: the process ended first, or failed. */
export function readOn(
  { world }: { readonly world: World },
  log: ClusterLog,
  node: Node,
): Promise<boolean> {
  return readWhole(world, node.log(log), log.model, { life: node.process.life });
}

/**
 * Looks for a time on a node that has just opened the log, before it has read anything: what is known to be there is found, or
 * something before it of which nobody knew.
 */
export async function findFirst(
  cluster: { readonly world: World },
  log: ClusterLog,
  node: Node,
  where: number,
): Promise<void> {
  const open = node.log(log);
  const timestampMs = log.model.timeAt(where);
  const known = log.model.firstAt(timestampMs, open);
  const start = open.logStartOffset;
  const finding = open.find?.(timestampMs) ?? Promise.resolve(undefined);
  const outcome = await cluster.world.until(node.process.life, finding);
  if (outcome.tag !== "ok" || known === undefined || open.logStartOffset !== start) return;
  const found = outcome.value?.offset;
  cluster.world.invariants.check(
    "P8",
    found !== undefined && found <= known,
    () => `${timestampMs} of ${log.model.name} was found at ${found}, and is at ${known}`,
  );
  cluster.world.sometimes.add("time-found-first");
}

/** A consumer goes on where it is, on whichever node has the log; waits where it is at the end. */
export async function consume(
  world: World,
  log: ClusterLog,
  node: Node,
  reads: number,
): Promise<void> {
  const open = node.log(log);
  for (let i = 0; i < reads; i += 1) {
    const from = Math.max(log.position, open.logStartOffset);
    log.position = from;
    const { highWatermark } = open;
    world.invariants.check(
      "P3",
      from <= highWatermark || node.state !== "serving",
      () => `${log.model.name}: read up to ${from}, and the watermark is ${highWatermark}`,
    );
    if (from >= highWatermark) return;
    const outcome = await world.until(node.process.life, open.read({ from, bytesMax: 700 }));
    if (outcome.tag !== "ok") {
      if (
        outcome.tag !== "failed" ||
        isKarstError(outcome.error, "unavailable", "closed", "fenced")
      )
        return;
      if (isKarstError(outcome.error, "out_of_range") && open.logStartOffset > from) continue;
      throw outcome.error as Error;
    }
    log.model.checkRead(from, outcome.value, open.highWatermark);
    log.position = outcome.value.nextOffset;
    world.tally.checked += 1;
    world.sometimes.add("followed", outcome.value.batches.length);
    outcome.value.release();
  }
}
