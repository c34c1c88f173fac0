import type { ActiveFault } from "@karst/runtime/testing";
import type { Outcome } from "../world/outcome.ts";
import { type Batches, tolerate, wait } from "../world/wait.ts";
import { append } from "./appending.ts";
import type { Cluster } from "./cluster.ts";
import type { Node } from "./node.ts";
import { closeNode, muster, settleClosed } from "./node-steps.ts";
import { held, type Step, type Which } from "./step.ts";

/** Two more processes of one machine open its node at once: one has it in the end, or none. */
export function race(machine: number, delayMs: number): Step {
  return async (cluster) => {
    const { world } = cluster;
    const first = cluster.begins(machine);
    await world.clock.advance(delayMs);
    const racers = [first, cluster.begins(machine)];
    const outcomes: Outcome<Node>[] = [];
    for (const { life, opening } of racers) {
      const outcome = await world.until(life, opening);
      if (outcome.tag !== "ok") life.end();
      outcomes.push(outcome);
    }
    world.sometimes.add("race");
    // The one with the later claim has fenced the other.
    const epochOf = (one: Outcome<Node>): number => (one.tag === "ok" ? one.value.walEpoch : 0);
    for (const outcome of outcomes.toSorted((a, b) => epochOf(a) - epochOf(b)))
      await cluster.adopt(machine, outcome);
  };
}

/**
 * A node that has much to upload is closed in order, and before that is done the next process of its machine opens it.
 *
 * @param leadMs from the opening's claim to the beginning of the closing; negative: from that to the beginning of the opening.
 * @param stallMs the opening's device stands still for so long when it has claimed the WAL.
 */
export function overlap(
  [name, index]: Which,
  batches: Batches,
  leadMs: number,
  stallMs: number,
): Step {
  return async (cluster) => {
    const { world } = cluster;
    const found = await held(cluster, 0, name, index);
    if (found === undefined) return;
    const [log, node] = found;
    const { process } = node;
    for (let i = 0; i < batches.times; i += 1) {
      const id = `o${cluster.nextSerial()}`;
      append(cluster, node, log, { ...batches, id, gap: 0, timestampMs: 0 });
      // Each is an upload of its own: for some time one is published after the other.
      await world.clock.advance(2);
    }
    await wait(cluster, process, process.settled, batches.wait);
    if (!node.isWell) return;
    const close = (): Promise<void> => process.topics.close().then(() => process.engine.close());
    const early = leadMs < 0 ? close() : undefined;
    early?.catch(() => undefined);
    await world.clock.advance(Math.max(0, -leadMs));
    const { life, opening, claimed } = cluster.begins(node.machine, stallMs);
    if (leadMs >= 0) await world.until(life, claimed);
    await world.clock.advance(Math.max(0, leadMs));
    const closing = early ?? close();
    const closed = await world.until(process.life, closing);
    cluster.note(`close m${node.machine}`, closed);
    if (closed.tag === "failed") tolerate(closed.error);
    if (closed.tag === "ok") await settleClosed(cluster, node);
    else process.life.end();
    const opened = await world.until(life, opening);
    if (opened.tag !== "ok") life.end();
    const contested = closed.tag !== "ok" || opened.tag === "failed";
    world.sometimes.add(contested ? "closed-and-opened-contested" : "closed-and-opened");
    await cluster.adopt(node.machine, opened);
  };
}

/**
 * All nodes are closed, and open again at once; then each takes what was another's, whose return it may not have heard of.
 *
 * @param isKept their WALs cannot be removed: they come back as the nodes that they were.
 */
export function turnover(shift: number, isKept: boolean): Step {
  return async (cluster) => {
    for (const node of cluster.nodes) {
      const kept = isKept ? keepWal(cluster, node) : undefined;
      await closeNode(cluster, node);
      kept?.cancel();
    }
    await muster(cluster);
    for (const [i, log] of cluster.logs.entries()) {
      const { nodes } = cluster;
      const node = nodes[(i + shift) % Math.max(1, nodes.length)];
      if (node !== undefined) await cluster.take(log, node);
    }
  };
}

/** The last thing that a closing node does fails, after its record says that it is closed. */
function keepWal({ world }: Cluster, { machine }: Node): ActiveFault | undefined {
  world.faulted("wal kept");
  return world.machines[machine]?.disk.fault({
    on: "open",
    path: (path) => path.includes("/temporary-identity-"),
    effect: "EIO",
  });
}
