import { isKarstError, randomId, type Runtime } from "@karst/runtime";
import type { Catalogue, Revision } from "../catalogue/catalogue.ts";
import { nodeRow } from "../catalogue/rows/node-row.ts";
import { coreError } from "../errors.ts";
import { OPEN_COMMIT_TRIES_MAX } from "../limits.ts";
import { Retry } from "../upload/retry.ts";
import type { OpenDecision } from "./decide-open.ts";

/**
 * Writes the node's record for its new epoch, and closes those of the nodes given up, in one commit: from here on every older
 * process of this node is fenced.
 *
 * @returns the record's revision.
 * @throws KarstError `NODE_CONTESTED` (`conflict`): another process opened one of the nodes meanwhile. `COMMIT_UNKNOWN`
 * (`indeterminate`). Whatever the catalogue rejects with.
 */
export async function commitOpen(options: {
  readonly catalogue: Catalogue;
  readonly runtime: Runtime;
  readonly nodeId: string;
  readonly decision: OpenDecision & { readonly tag: "start" };
  readonly signal: AbortSignal;
}): Promise<Revision> {
  const { catalogue, runtime, nodeId, decision } = options;
  const own = nodeRow.get(catalogue, nodeId);
  const abandoned = decision.abandon.map((node) => ({
    ...node,
    row: nodeRow.get(catalogue, node.nodeId),
  }));
  const require = [
    nodeRow.unchanged(nodeId, own),
    ...abandoned.map(({ nodeId: id, row }) => nodeRow.unchanged(id, row)),
  ];
  const retry = new Retry({ clock: runtime.clock, random: runtime.random, signal: options.signal });
  const ids = new Set<string>();
  for (let tries = 0; tries < OPEN_COMMIT_TRIES_MAX; tries += 1) {
    const id = randomId(runtime.random);
    ids.add(id);
    const outcome = await catalogue.commit({
      id,
      require,
      put: [
        nodeRow.put(nodeId, { ...decision.row, lastTx: id }),
        ...abandoned.flatMap(({ nodeId: other, row }) =>
          row === undefined
            ? []
            : [
                nodeRow.put(other, {
                  ...row.value,
                  state: { tag: "closed" },
                  wals: row.value.wals.map((wal) => ({ ...wal, state: "drained" as const })),
                  lastTx: id,
                }),
              ],
        ),
      ],
      delete: [],
    });
    if (outcome.tag === "ok") return outcome.revision;
    await refresh(catalogue, retry);
    const row = nodeRow.get(catalogue, nodeId);
    if (row !== undefined && ids.has(row.value.lastTx)) return row.revision;
    if (outcome.tag === "conflict") {
      throw coreError(
        "NODE_CONTESTED",
        `another process changed ${outcome.key} while node ${nodeId} was being opened: start again`,
      );
    }
  }
  throw coreError("COMMIT_UNKNOWN", `the catalogue did not say whether node ${nodeId} was opened`);
}

async function refresh(catalogue: Catalogue, retry: Retry): Promise<void> {
  for (;;) {
    try {
      await catalogue.refresh();
      return;
    } catch (error) {
      if (
        !isKarstError(error, "unavailable", "indeterminate") ||
        retry.tries >= OPEN_COMMIT_TRIES_MAX
      )
        throw error;
      await retry.pause();
    }
  }
}
