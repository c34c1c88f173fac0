import assert from "node:assert/strict";
import { isKarstError } from "@karst/runtime";
import { type Batches, capture, tolerate, type Wait, wait } from "../world/wait.ts";
import { within } from "../log/open-log.ts";
import { append as appendOn } from "./appending.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterLog } from "./cluster-log.ts";
import type { Node } from "./node.ts";
import { consume } from "./reading.ts";
import { held, type Step, type Which } from "./step.ts";

export function take(which: number, [name, index]: Which): Step {
  return async (cluster) => {
    const log = cluster.logOf(name, index);
    const { nodes } = cluster;
    const node = nodes[which % Math.max(1, nodes.length)];
    if (log !== undefined && node !== undefined) await cluster.take(log, node);
  };
}

export function append(which: number, [name, index]: Which, batches: Batches): Step {
  return async (cluster) => {
    const found = await held(cluster, which, name, index);
    if (found === undefined) return;
    const [log, node] = found;
    for (let i = 0; i < batches.times; i += 1) {
      const id = `n${cluster.nextSerial()}`;
      const timestampMs = cluster.world.clock.wallMs();
      if (appendOn(cluster, node, log, { ...batches, id, gap: 0, timestampMs }) === undefined)
        break;
    }
    await wait(cluster, node.process, node.process.settled, batches.wait);
  };
}

/** The idempotent client of a partition sends what is left to be sent, and some more, to whoever has it. */
export function produce(which: number, [name, index]: Which, batches: Batches): Step {
  return async (cluster) => {
    const found = await held(cluster, which, name, index);
    if (found === undefined) return;
    const [log, node] = found;
    for (let i = 0; i < batches.times; i += 1)
      log.producer.queue({ ...batches, timestampMs: cluster.world.clock.wallMs() });
    log.producer.send(node.process, (draft) => appendOn(cluster, node, log, draft));
    await wait(cluster, node.process, node.process.settled, batches.wait);
  };
}

/** … sends again what was answered, as if it had not heard. */
export function resend(which: number, [name, index]: Which, back: number): Step {
  return async (cluster) => {
    const found = await held(cluster, which, name, index);
    if (found === undefined) return;
    const [log, node] = found;
    log.producer.resend(back, node.process, (draft) => appendOn(cluster, node, log, draft));
  };
}

/** @param where from the start, 0, to the watermark, 1. */
export function read([name, index]: Which, where: number, bytesMax: number): Step {
  return async (cluster) => {
    const found = await held(cluster, 0, name, index);
    if (found === undefined) return;
    await readOn(cluster, found[1], found[0], where, bytesMax);
  };
}

/** @param where from the start, 0, to the watermark, 1. */
export async function readOn(
  cluster: Cluster,
  node: Node,
  log: ClusterLog,
  where: number,
  bytesMax: number,
): Promise<void> {
  const open = node.log(log);
  const from = within(open, where);
  const { highWatermark, logStartOffset } = open;
  const reading = capture(() => open.read({ from, bytesMax }));
  const outcome = await cluster.world.until(node.process.life, reading);
  cluster.note("read", outcome);
  cluster.world.tally.checked += 1;
  if (outcome.tag === "failed") {
    if (isKarstError(outcome.error, "out_of_range"))
      assert.ok(open.logStartOffset > logStartOffset, String(outcome.error));
    // A ghost's objects may have been trimmed away by who has the log now.
    else if (!(node.state !== "serving" && isKarstError(outcome.error, "corrupt")))
      tolerate(outcome.error);
  }
  if (outcome.tag !== "ok") return;
  log.model.checkRead(from, outcome.value, highWatermark);
  outcome.value.release();
}

/** The consumer of a partition reads on. */
export function follow([name, index]: Which, reads: number): Step {
  return async (cluster) => {
    const found = await held(cluster, 0, name, index);
    if (found !== undefined) await consume(cluster.world, found[0], found[1], reads);
  };
}

/** Looks for the first record of a time, as a scan would find it. */
export function find([name, index]: Which, where: number): Step {
  return async (cluster: Cluster) => {
    const found = await held(cluster, 0, name, index);
    if (found === undefined) return;
    const [log, node] = found;
    const open = node.log(log);
    const timestampMs = log.model.timeAt(where);
    const before = log.model.firstAt(timestampMs, open);
    const start = open.logStartOffset;
    const finding = open.find?.(timestampMs) ?? Promise.resolve(undefined);
    const outcome = await cluster.world.until(node.process.life, finding);
    if (outcome.tag === "failed") tolerate(outcome.error);
    if (outcome.tag !== "ok" || open.logStartOffset !== start || !node.isWell) return;
    node.observe();
    const offset = outcome.value?.offset;
    cluster.world.invariants.check(
      "P8",
      offset === before || offset === log.model.firstAt(timestampMs, open),
      () => `${timestampMs} of ${log.model.name} was found at ${offset}, and is at ${before}`,
    );
    cluster.world.sometimes.add("time-found");
  };
}

export function trim([name, index]: Which, where: number, how: Wait): Step {
  return async (cluster) => {
    const found = await held(cluster, 0, name, index);
    if (found === undefined) return;
    await trimOn(cluster, found[1], found[0], where, how);
  };
}

export async function trimOn(
  cluster: Cluster,
  node: Node,
  log: ClusterLog,
  where: number,
  how: Wait,
): Promise<void> {
  const open = node.log(log);
  const { model } = log;
  const before = within(open, where);
  const lost = (): boolean => node.state !== "serving" || log.holder !== node;
  // What is trimmed was durable.
  node.observe();
  model.trimming(before);
  const trimmed = capture(() => open.trim(before)).then(
    () => {
      model.trimmed(before, lost());
      cluster.world.sometimes.add("trim");
      cluster.world.note(`trimmed ${model.name} ${before}`);
    },
    (error: unknown) => {
      cluster.world.note(`not trimmed ${model.name} ${before}`);
      // Deleted meanwhile.
      if (!isKarstError(error, "not_found") || log.topic.state === "there") tolerate(error);
      if (isKarstError(error, "unavailable")) model.notTrimmed(before);
    },
  );
  await wait(cluster, node.process, trimmed, how);
}

export function upload(which: number, how: Wait): Step {
  return async (cluster) => {
    const node = await cluster.someNode(which);
    await wait(
      cluster,
      node.process,
      capture(() => node.process.engine.upload()),
      how,
    );
  };
}
