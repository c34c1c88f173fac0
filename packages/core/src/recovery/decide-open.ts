import type { ClaimFacts } from "@karst/wal";
import type { NodeRow, NodeWal } from "../catalogue/rows/node-row.ts";

export interface NodeFacts {
  readonly nodeId: string;
  readonly row: NodeRow;
}

/** Another node whose WAL is lost or given up: its record is closed in the commit that opens this one. */
export interface AbandonedNode {
  readonly nodeId: string;
  readonly wals: readonly NodeWal[];
  /** `memory`: the WAL died with its process. `accepted`: the caller said so. */
  readonly reason: "memory" | "accepted";
}

export type OpenDecision =
  | {
      readonly tag: "start";
      /**
       * `recover`: the WAL continues this node. `probe`: nothing of it should be needed (the catalogue does not know it, or has
       * it as drained); look before the node's record is written, and refuse where something is.
       */
      readonly mode: "recover" | "probe";
      readonly trim: number;
      /** The node's record while it is open, but for its lastTx. */
      readonly row: Omit<NodeRow, "lastTx">;
      readonly abandon: readonly AbandonedNode[];
    }
  | {
      readonly tag: "refuse";
      readonly code: "WAL_UNAVAILABLE" | "WAL_STALE";
      readonly message: string;
    };

/** Decides how, and whether, an engine starts with this WAL on what the catalogue says. Pure. */
export function decideOpen(
  claim: ClaimFacts,
  nodes: readonly NodeFacts[],
  abandonWal: string | undefined,
): OpenDecision {
  const own = nodes.find((node) => node.nodeId === claim.nodeId)?.row;
  const wal = own?.wals.find((one) => one.walId === claim.walId);
  const stale = staleReason(claim, own, wal);
  if (stale !== undefined) return { tag: "refuse", code: "WAL_STALE", message: stale };
  // It only comes back to what is its own, and to nobody else's: two that were open at once must not shut each other out.
  const returns = own?.state.tag === "open" && wal?.state === "active";
  const abandon: AbandonedNode[] = [];
  for (const { nodeId, row } of nodes) {
    if (nodeId === claim.nodeId || row.state.tag === "closed") continue;
    const wals = row.wals.filter((one) => one.state !== "drained");
    const blocking = wals.find((one) => one.kind !== "memory" && one.walId !== abandonWal);
    if (blocking !== undefined && returns) continue;
    if (blocking !== undefined)
      return {
        tag: "refuse",
        code: "WAL_UNAVAILABLE",
        message: unavailable(claim, nodeId, blocking),
      };
    abandon.push({
      nodeId,
      wals,
      reason: wals.every((one) => one.kind === "memory") ? "memory" : "accepted",
    });
  }
  const active: NodeWal = {
    walId: claim.walId,
    kind: claim.kind,
    location: claim.location,
    epoch: claim.epoch,
    trim: wal?.trim ?? 0,
    state: "active",
  };
  return {
    tag: "start",
    mode: claim.fresh || wal?.state === "active" ? "recover" : "probe",
    trim: active.trim,
    row: { epoch: (own?.epoch ?? 0) + 1, state: { tag: "open" }, wals: [active], decidedSeq: 0 },
    abandon,
  };
}

function staleReason(
  claim: ClaimFacts,
  own: NodeRow | undefined,
  wal: NodeWal | undefined,
): string | undefined {
  const here = `the WAL ${claim.walId} at ${claim.location}`;
  if (own === undefined) return undefined;
  if (wal === undefined) {
    return `${here} says that it is node ${claim.nodeId}'s, but that node has other WALs: use the directory that the node used last, or an empty one`;
  }
  if (own.state.tag === "recovering") {
    return `${here} belongs to node ${claim.nodeId}, which node ${own.state.by} is taking over: start with an empty directory when it is done`;
  }
  if (wal.state === "sealed")
    return `${here} is sealed, somebody is taking it over: start with an empty directory`;
  if (claim.epoch <= wal.epoch) {
    return (
      `this would be opening ${claim.epoch} of ${here}, and the catalogue has recorded opening ${wal.epoch}: it is an old copy. ` +
      `Put the newest copy there, or, if that is lost, start with an empty directory and ${abandonment(wal.walId)}`
    );
  }
  return undefined;
}

function unavailable(claim: ClaimFacts, nodeId: string, wal: NodeWal): string {
  const here = claim.fresh ? "no WAL" : `another WAL, ${claim.walId}`;
  const found =
    wal.location === claim.location
      ? `It was at ${wal.location}, where ${here} is now. Put it back there`
      : `It was at ${wal.location}; this engine came with ${here} at ${claim.location}. Start with the one at ${wal.location}`;
  return (
    `node ${nodeId} has not been closed, and its WAL ${wal.walId} may hold records that are nowhere else. ${found}, or, ` +
    `if it is lost, ${abandonment(wal.walId)}`
  );
}

function abandonment(walId: string): string {
  return `accept the loss of what only it held: abandonWal ${walId} (karst serve --abandon-wal ${walId})`;
}
