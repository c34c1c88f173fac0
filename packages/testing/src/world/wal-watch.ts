import type { DiskEvent } from "@karst/runtime/testing";
import { SEGMENT_HEADER_BYTES, type WalFactory, type WalListener } from "@karst/wal";
import { Backlog } from "./backlog.ts";
import { FenceWatch } from "./fence-watch.ts";
import type { Invariants } from "./invariants.ts";
import type { Machine, Surroundings } from "./machine.ts";
import type { Sometimes } from "./sometimes.ts";

const SEGMENT = /segment-(\d{6})-(\d{16})$/;

interface SegmentFile {
  readonly path: string;
  readonly epoch: number;
  readonly base: number;
}

/**
 * Looks over a file WAL's shoulder, at the disk: whatever it reports durable must be there after every crash that could come now.
 *
 * Invariant: `#segments` are the segments that have their names, whoever made them.
 */
export class WalWatch {
  readonly #machine: Machine;
  readonly #invariants: Invariants;
  readonly #sometimes: Sometimes;
  readonly #segments = new Map<string, SegmentFile>();
  readonly #fences: FenceWatch;
  /** Of the segment that was synced last. */
  #syncedName = "none yet";
  #syncedEpoch = 0;

  constructor(machine: Machine, invariants: Invariants, sometimes: Sometimes) {
    this.#machine = machine;
    this.#invariants = invariants;
    this.#sometimes = sometimes;
    this.#fences = new FenceWatch(machine.disk);
    machine.onDiskOperation = (event) => this.#saw(event);
  }

  /** The same WAL, watched. */
  readonly watch = (factory: WalFactory): WalFactory => this.#watched(factory, undefined);

  /**
   * One process, of which also is known what it has not uploaded.
   *
   * @param unuploadedBytesMax the engine's limit.
   */
  process(
    surroundings: Surroundings,
    unuploadedBytesMax: number,
  ): {
    readonly surroundings: Surroundings;
    readonly watch: (factory: WalFactory) => WalFactory;
  } {
    const backlog = new Backlog(this.#invariants, unuploadedBytesMax);
    return {
      surroundings: { ...surroundings, store: backlog.store(surroundings.store) },
      watch: (factory) => this.#watched(factory, backlog),
    };
  }

  readonly #watched = (factory: WalFactory, backlog: Backlog | undefined): WalFactory => ({
    kind: factory.kind,
    claim: async (options) => {
      const claim = await factory.claim(options);
      return {
        walId: claim.walId,
        nodeId: claim.nodeId,
        kind: claim.kind,
        epoch: claim.epoch,
        fresh: claim.fresh,
        location: claim.location,
        recover: async (recovery) => {
          const { listener } = recovery;
          let reported = 0;
          const wal = await claim.recover({
            ...recovery,
            listener: this.#listener(listener, claim.epoch, (position) => {
              backlog?.durable(position);
              const from = reported;
              reported = position;
              return from;
            }),
          });
          return backlog?.wal(wal) ?? wal;
        },
        checkNewest: () => claim.checkNewest(),
        release: () => claim.release(),
      };
    },
  });

  #listener(
    listener: WalListener,
    epoch: number,
    advance: (position: number) => number,
  ): WalListener {
    let failed = false;
    return {
      durable: (position) => {
        this.#invariants.check("W8", !failed, `durable up to ${position} after it had failed`);
        const from = advance(position);
        this.#invariants.check("W3", position > from, `durable up to ${position} after ${from}`);
        this.#checkDurable(epoch, from, position);
        listener.durable(position);
      },
      failed: (error) => {
        failed = true;
        listener.failed(error);
      },
    };
  }

  #checkDurable(epoch: number, from: number, end: number): void {
    const { disk } = this.#machine;
    for (const segment of this.#segments.values()) {
      if (segment.epoch !== epoch || segment.base >= end) continue;
      const size = disk.sizeOf(segment.path) - SEGMENT_HEADER_BYTES;
      const first = Math.max(from - segment.base, 0);
      const last = Math.min(end - segment.base, size);
      if (first >= last) continue;
      this.#invariants.check(
        "W1",
        disk.isDurable(segment.path, SEGMENT_HEADER_BYTES + first, SEGMENT_HEADER_BYTES + last),
        () => `${segment.path} is not durable in [${first}, ${last}), and was reported so`,
      );
      this.#invariants.check(
        "F5",
        !this.#fences.wasFenced(segment.path),
        () => `${segment.path} was synced after a later claim, and reported durable`,
      );
    }
  }

  #saw(event: DiskEvent): void {
    const { phase, operation, path, to, error } = event;
    this.#fences.saw(event);
    if (phase === "before" || error !== undefined) return;
    if (operation === "datasync") this.#countRoll(path);
    if (operation === "rename" || operation === "remove") this.#renamed(path, to);
  }

  /** A file has its name once it is prewritten; a handle goes by the name before that. `to`: none, it is gone. */
  #renamed(path: string, to: string | undefined): void {
    if (this.#segments.delete(path) && to === undefined) this.#sometimes.add("wal-segment-removed");
    const segment = segmentOf(to ?? "");
    if (segment !== undefined) this.#segments.set(segment.path, segment);
  }

  #countRoll(path: string): void {
    if (path.endsWith(this.#syncedName)) return;
    const name = SEGMENT.exec(path)?.[0];
    if (name === undefined) return;
    const segment = [...this.#segments.values()].find((one) => one.path.endsWith(name));
    if (segment === undefined) return;
    // Of one process: the first sync of a segment after that of another one.
    if (segment.epoch === this.#syncedEpoch) this.#sometimes.add("segment-roll");
    this.#syncedEpoch = segment.epoch;
    this.#syncedName = name;
  }
}

/** None while it has its temporary name. */
function segmentOf(path: string): SegmentFile | undefined {
  if (path.includes("temporary-")) return undefined;
  const numbers = SEGMENT.exec(path);
  if (numbers === null) return undefined;
  return { path, epoch: Number(numbers[1]), base: Number(numbers[2]) };
}
