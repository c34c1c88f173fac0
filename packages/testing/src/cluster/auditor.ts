import {
  type Catalogue,
  nodeRow,
  objectRow,
  openCatalogue,
  rangeAt,
  streamEndRow,
  streamOwnerRow,
} from "@karst/core";
import { type MemoryBucket, memoryObjectStore, type ObjectStore } from "@karst/objectstore";
import type { Runtime } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";

interface Range {
  readonly start: number;
  readonly end: number;
}

/** What a node may do with a stream, as the rules have it. */
export type Right = "free" | "refused" | "gone";

/**
 * Sees the root as it is: a catalogue over what the store holds, which no fault reaches and which outlives every process.
 *
 * Invariant: `#objects` are the keys of all objects that were ever referenced; true: they still are.
 */
export class Auditor {
  readonly catalogue: Catalogue;
  readonly #store: ObjectStore;
  readonly #invariants: Invariants;
  readonly #objects = new Map<string, boolean>();
  readonly #owners = new Map<
    number,
    { readonly nodeId: string | undefined; readonly epoch: number }
  >();
  readonly #nodeEpochs = new Map<string, number>();
  #revision = 0;

  private constructor(catalogue: Catalogue, store: ObjectStore, invariants: Invariants) {
    this.catalogue = catalogue;
    this.#store = store;
    this.#invariants = invariants;
  }

  static async open(
    bucket: MemoryBucket,
    runtime: Runtime,
    invariants: Invariants,
  ): Promise<Auditor> {
    const objectStore = memoryObjectStore({ bucket });
    const catalogue = await openCatalogue({ objectStore, runtime, create: true });
    return new Auditor(catalogue, objectStore, invariants);
  }

  /** Brings itself to the end of the log, and checks what it finds there. */
  async look(): Promise<void> {
    await this.catalogue.refresh();
    if (this.catalogue.revision === this.#revision) return;
    this.#revision = this.catalogue.revision;
    this.#checkEpochs();
    await this.#checkObjects();
  }

  /** Every object is looked at again, also those that were there before. */
  async lookAtAll(): Promise<void> {
    this.#revision = 0;
    this.#objects.clear();
    await this.look();
  }

  /** Whether a node may take a stream, as of the last look. */
  mayTake(streamId: number, nodeId: string): Right {
    const owner = streamOwnerRow.get(this.catalogue, streamId)?.value;
    if (owner === undefined) return "gone";
    if (owner.nodeId === undefined || owner.nodeId === nodeId) return "free";
    return this.isOpen(owner.nodeId) ? "refused" : "free";
  }

  ownerOf(streamId: number): string | undefined {
    return streamOwnerRow.get(this.catalogue, streamId)?.value.nodeId;
  }

  isOpen(nodeId: string | undefined): boolean {
    const row = nodeId === undefined ? undefined : nodeRow.get(this.catalogue, nodeId);
    return row !== undefined && row.value.state.tag !== "closed";
  }

  /** Nodes that are not closed. */
  get openNodes(): readonly string[] {
    return [...nodeRow.scan(this.catalogue)]
      .filter(({ value }) => value.state.tag !== "closed")
      .map(({ id }) => id);
  }

  #checkEpochs(): void {
    for (const { id, value } of nodeRow.scan(this.catalogue)) {
      const last = this.#nodeEpochs.get(id) ?? 0;
      this.#invariants.check(
        "F2",
        value.epoch >= last,
        () => `node ${id} went back from epoch ${last} to ${value.epoch}`,
      );
      this.#nodeEpochs.set(id, value.epoch);
    }
    for (const { id, value } of streamOwnerRow.scan(this.catalogue)) {
      const last = this.#owners.get(id);
      const { nodeId, streamEpoch: epoch } = value;
      this.#invariants.check(
        "F2",
        last === undefined || (last.nodeId === nodeId ? epoch === last.epoch : epoch > last.epoch),
        () =>
          `stream ${id} was ${last?.nodeId}'s in epoch ${last?.epoch}, and is ${nodeId}'s in ${epoch}`,
      );
      this.#owners.set(id, { nodeId, epoch });
    }
  }

  async #checkObjects(): Promise<void> {
    const ranges = new Map<number, Range[]>();
    const present = new Set<string>();
    for (const { key, value } of objectRow.scan(this.catalogue)) {
      present.add(key);
      for (let i = 0; i < value.ranges.count; i += 1) {
        const range = rangeAt(value.ranges, i);
        const known = ranges.get(range.streamId);
        if (known === undefined) ranges.set(range.streamId, [range]);
        else known.push(range);
      }
      const before = this.#objects.get(key);
      this.#invariants.check("O6", before !== false, () => `${key} is referenced again`);
      if (before === true) continue;
      this.#objects.set(key, true);
      const found = await this.#store.head(key);
      this.#invariants.check(
        "O2",
        found?.bytes === value.bytes,
        () => `${key} has ${found?.bytes} bytes, and ${value.bytes} are referenced`,
      );
    }
    for (const [key, referenced] of this.#objects)
      if (referenced && !present.has(key)) this.#objects.set(key, false);
    for (const [streamId, found] of ranges) this.#checkRanges(streamId, found);
  }

  #checkRanges(streamId: number, ranges: readonly Range[]): void {
    const end = streamEndRow.get(this.catalogue, streamId)?.value.offset;
    // A deleted stream's references are for garbage collection.
    if (end === undefined) return;
    let last = 0;
    for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
      this.#invariants.check(
        "O4",
        range.start >= last && range.end > range.start,
        () => `stream ${streamId}: [${range.start}, ${range.end}) after ${last}`,
      );
      last = range.end;
    }
    this.#invariants.check(
      "O4",
      last === end,
      () => `stream ${streamId}: its references end at ${last}, and it at ${end}`,
    );
  }
}
