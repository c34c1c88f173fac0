import assert from "node:assert/strict";
import type { MemberEvent } from "../clients/events.ts";

interface Held {
  readonly memberId: string;
  readonly partitions: readonly number[];
}

/** What all members of one group have said, and what must be true of it. */
export class MemberBook {
  /** By process: what it was given last. */
  readonly #held = new Map<string, Held>();
  /** By generation, by partition: the member that owns it. */
  readonly #owners = new Map<number, Map<number, string>>();
  readonly #delivered = new Map<number, Set<number>>();
  readonly #committed = new Map<number, number>();
  commits = 0;

  /** Generations that somebody was confirmed to be in. */
  get generations(): number {
    return this.#owners.size;
  }

  /** Of these processes, those that have nothing, by what they have said. */
  withoutPartitions(processes: readonly string[]): readonly string[] {
    return processes.filter((process) => (this.#held.get(process)?.partitions.length ?? 0) === 0);
  }

  get delivered(): number {
    return [...this.#delivered.values()].reduce((sum, offsets) => sum + offsets.size, 0);
  }

  /** @param process the name of who says it. */
  take(process: string, event: MemberEvent): void {
    switch (event.event) {
      case "assigned": {
        const partitions = event.partitions.map(([, partition]) => partition);
        this.#held.set(process, { memberId: event.memberId ?? "", partitions });
        return;
      }
      case "revoked":
        this.#held.delete(process);
        return;
      case "confirmed":
        this.#confirmed(process, event.memberId, event.generation);
        return;
      case "record":
        this.#deliveredOf(event.partition).add(event.offset);
        return;
      case "committed":
        for (const { partition, offset } of event.positions ?? []) {
          this.commits += 1;
          this.#committed.set(partition, Math.max(offset, this.#committed.get(partition) ?? 0));
        }
        return;
      case "committing":
      case "opened":
      case "hangs":
      case "left":
        return;
    }
  }

  /** @param fetched by partition, at the end; nothing committed: -1. */
  checkCommits(fetched: ReadonlyMap<number, number>): void {
    for (const [partition, offset] of this.#committed)
      assert.ok(
        (fetched.get(partition) ?? -1) >= offset,
        `partition ${partition}: ${offset} was committed, ${fetched.get(partition)} is told`,
      );
  }

  /** Whatever lies before a committed offset was given to somebody. */
  checkDeliveries(fetched: ReadonlyMap<number, number>): void {
    for (const [partition, end] of fetched) {
      const offsets = this.#deliveredOf(partition);
      for (let offset = 0; offset < end; offset += 1)
        assert.ok(offsets.has(offset), `${offset} of partition ${partition} was skipped`);
    }
  }

  /** Heartbeats come after the answer that a generation begins with. */
  #confirmed(process: string, memberId: string, generation: number): void {
    const held = this.#held.get(process);
    if (held?.memberId !== memberId) return;
    const owners = this.#owners.get(generation) ?? new Map<number, string>();
    this.#owners.set(generation, owners);
    for (const partition of held.partitions) {
      const owner = owners.get(partition) ?? memberId;
      assert.equal(
        memberId,
        owner,
        `partition ${partition} has two owners in generation ${generation}`,
      );
      owners.set(partition, memberId);
    }
  }

  #deliveredOf(partition: number): Set<number> {
    const offsets = this.#delivered.get(partition) ?? new Set<number>();
    this.#delivered.set(partition, offsets);
    return offsets;
  }
}
