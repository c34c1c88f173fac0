import assert from "node:assert/strict";
import { isKarstError } from "@karst/runtime";
import type { Attempt } from "../log/log-model.ts";
import type { OpenLog } from "../log/open-log.ts";
import type { Outcome } from "../world/outcome.ts";
import type { World } from "../world/world.ts";
import type { Right } from "./auditor.ts";
import type { ClusterLog } from "./cluster-log.ts";
import type { Node } from "./node.ts";

/** Nodes that were not closed before, and after. */
export interface OpenNodes {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** A node opens where no other one is open, and where it only comes back. */
export function checkOpening(
  world: World,
  nodeId: string | undefined,
  outcome: Outcome<Node>,
  { before, after }: OpenNodes,
): void {
  const { sometimes } = world;
  const returns = nodeId !== undefined && before.includes(nodeId);
  const others = before.filter((other) => other !== nodeId);
  if (outcome.tag === "ok") {
    const allowed = returns || others.every((other) => !after.includes(other));
    world.invariants.check("F7", allowed, () => `${nodeId} opened beside ${others.join(", ")}`);
    if (returns && others.length > 0) sometimes.add("restarted-beside-others");
    return;
  }
  if (outcome.tag !== "failed" || !isKarstError(outcome.error)) return;
  const { code, message } = outcome.error;
  if (code !== "WAL_UNAVAILABLE") return;
  const allowed = !returns && after.some((other) => other !== nodeId);
  world.invariants.check("W12", allowed, () => `node ${nodeId} may open: ${message}`);
  assert.ok(
    after.some((other) => message.includes(other)),
    `names none of the open nodes: ${message}`,
  );
  sometimes.add("opening-refused");
}

/** Whether a node may take a log, before and after it tried. */
export interface Rights {
  readonly before: Right;
  readonly after: Right;
  /** The node that had it before is still open. */
  readonly isKept: boolean;
}

/** A log is taken where it is nobody's, the node's own, or a closed node's. */
export function checkTaking(
  world: World,
  log: ClusterLog,
  node: Node,
  outcome: Outcome<OpenLog>,
  { before, after, isKept }: Rights,
): void {
  const what = (): string => `${log.model.name} on ${node.name}`;
  world.tally.checked += 1;
  if (outcome.tag === "ok") {
    const allowed = before !== "refused" || !isKept;
    world.invariants.check("F1", allowed, () => `${what()}: it is another open node's`);
    if (log.holder !== undefined && log.holder.machine !== node.machine)
      world.sometimes.add("log-moved");
    return;
  }
  if (outcome.tag !== "failed") return;
  const { error } = outcome;
  if (isKarstError(error, "closed", "fenced") && !node.isWell) return;
  if (isKarstError(error) && ["WAL_UNAVAILABLE", "STREAM_NOT_OWNED"].includes(error.code)) {
    const allowed = before !== "free" || after !== "free";
    world.invariants.check("W12", allowed, () => `${what()}: ${error.message}`);
    world.sometimes.add("taking-refused");
    return;
  }
  // Its image may be older than the topic, or than the end of it.
  if (!isKarstError(error, "not_found", "unavailable", "indeterminate")) throw error as Error;
}

/**
 * Of what a process has appended a prefix survives it, over all of its logs.
 *
 * @param logs that were not deleted.
 */
export function checkHeritage(world: World, logs: readonly ClusterLog[], last: Node): void {
  const models = new Set(logs.map(({ model }) => model));
  let lost: Attempt | undefined;
  for (const attempt of last.process.attempts) {
    if (!models.has(attempt.log)) continue;
    if (attempt.tag === "never") lost ??= attempt;
    world.invariants.check(
      "W2",
      attempt.tag !== "fact" || lost === undefined,
      () => `${attempt.id} of ${last.name} survived, and ${lost?.id} before it did not`,
    );
  }
}
