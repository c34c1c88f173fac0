import assert from "node:assert/strict";
import { isKarstError } from "@karst/runtime";
import type { Draft } from "../log/open-log.ts";
import type { Sent } from "../log/producer-model.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterLog } from "./cluster-log.ts";
import type { Node } from "./node.ts";

/** Appends by a node, and keeps what is known of it; undefined: refused. */
export function append(
  cluster: Cluster,
  node: Node,
  log: ClusterLog,
  draft: Draft,
): Sent | undefined {
  const { process } = node;
  const lost = node.state !== "serving" || log.holder !== node;
  const open = node.log(log);
  try {
    const taken = open.append(draft);
    if (taken.duplicate) {
      cluster.world.sometimes.add("duplicate-answered");
      return { taken, attempt: undefined };
    }
    cluster.world.invariants.check(
      "F6",
      node.state !== "closed",
      () => `${node.name} is closed, and takes ${draft.id}`,
    );
    const attempt = log.model.taken(draft, taken, lost);
    process.add(attempt);
    follow(cluster, node, process.attempts.length, taken.durable);
    return { taken, attempt };
  } catch (error) {
    refused(cluster, node, log, error);
    if (!lost) log.model.raised(open.logEndOffset);
    return undefined;
  }
}

/** @param order of the append among all of the process. */
function follow(cluster: Cluster, node: Node, order: number, durable: Promise<void>): void {
  const { process } = node;
  const attempt = process.attempts[order - 1];
  assert.ok(attempt !== undefined);
  process.pending += 1;
  const settled = durable.then(
    () => {
      process.pending -= 1;
      cluster.world.tally.acknowledged += 1;
      cluster.world.tally.checked += 1;
      cluster.world.note(`acknowledged ${attempt.id} ${attempt.baseOffset}`);
      cluster.world.invariants.check(
        "F3",
        attempt.tag !== "never",
        () => `${attempt.id} was acknowledged by ${node.name}, which had lost ${attempt.log.name}`,
      );
      // And with it all that was appended before it.
      process.settleUpTo(order);
    },
    (error: unknown) => {
      process.pending -= 1;
      cluster.world.tally.checked += 1;
      cluster.world.note(`unknown ${attempt.id} ${attempt.baseOffset}`);
      assert.ok(isKarstError(error, "indeterminate"), String(error));
      cluster.world.sometimes.add(node.state === "serving" ? "append-unknown" : "zombie-fenced");
    },
  );
  process.settled = settled;
  cluster.watch(settled);
}

function refused(cluster: Cluster, node: Node, log: ClusterLog, error: unknown): void {
  if (!isKarstError(error, "unavailable", "closed", "fenced")) throw error;
  const { sometimes, tally } = cluster.world;
  tally.checked += 1;
  cluster.world.note(`refused ${error.code}`);
  sometimes.add("append-refused");
  if (node.state !== "serving") sometimes.add("zombie-refused");
  if (error.kind !== "unavailable") {
    const known = !node.isWell || log.topic.state !== "there";
    assert.ok(known, `${node.name} refuses an append to ${log.model.name}: ${String(error)}`);
  }
}
