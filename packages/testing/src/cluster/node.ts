import assert from "node:assert/strict";
import type { WalFactory } from "@karst/wal";
import { TINY } from "../log/limits.ts";
import { type OpenLog, openPartition } from "../log/open-log.ts";
import { openProcess, type Process } from "../log/process.ts";
import type { Surroundings } from "../world/machine.ts";
import type { WalWatch } from "../world/wal-watch.ts";
import type { ClusterLog } from "./cluster-log.ts";

/**
 * One process of a cluster: an engine, and the logs that it has taken.
 *
 * `serving` until it is closed in order, or a later process of its machine has its node.
 */
export class Node {
  readonly machine: number;
  readonly process: Process;
  readonly logs: Map<ClusterLog, OpenLog> = new Map();
  /** Of its claim of the WAL. */
  readonly walEpoch: number;
  state: "serving" | "fenced" | "closed" = "serving";

  constructor(machine: number, process: Process, walEpoch: number) {
    this.machine = machine;
    this.process = process;
    this.walEpoch = walEpoch;
  }

  get name(): string {
    return `process ${this.process.number} on m${this.machine}`;
  }

  get nodeId(): string {
    return this.process.engine.nodeId;
  }

  /** Has its node, works, and has not ended. */
  get isWell(): boolean {
    const { failure, life } = this.process;
    return this.state === "serving" && failure === undefined && !life.isOver;
  }

  /** Opens a partition here, or gives the one that is open. */
  async take(log: ClusterLog): Promise<OpenLog> {
    const open = openPartition(await this.process.topics.partition(log.topic.topicId, log.index));
    this.logs.set(log, open);
    return open;
  }

  log(log: ClusterLog): OpenLog {
    const open = this.logs.get(log);
    assert.ok(open !== undefined, `${this.name} has not opened ${log.model.name}`);
    return open;
  }

  /** Takes note of what it says of itself. */
  observe(): void {
    for (const [log, open] of this.logs) this.process.observe(log.model, open);
  }
}

/** @param claimed is told which node it is, as soon as that is known. */
export async function openNode(
  machine: number,
  surroundings: Surroundings,
  walWatch: WalWatch,
  claimed: (nodeId: string) => void,
): Promise<Node> {
  let walEpoch = 0;
  const watched = walWatch.process(surroundings, TINY.limits.unuploadedBytesMax ?? Infinity);
  const telling = (factory: WalFactory): WalFactory => ({
    kind: factory.kind,
    claim: async (options) => {
      const claim = await factory.claim(options);
      walEpoch = claim.epoch;
      claimed(claim.nodeId);
      return claim;
    },
  });
  const process = await openProcess(watched.surroundings, TINY, undefined, (wal) =>
    telling(watched.watch(wal)),
  );
  return new Node(machine, process, walEpoch);
}
