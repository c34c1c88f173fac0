import { assert, crc32c, type Slab, type SlabPool } from "@karst/runtime";
import {
  type FrameFields,
  GROUP_HEADER_BYTES,
  groupSeed,
  type Memory,
  writeFrame,
  writeGroupHeader,
} from "./format/group.ts";
import type { WalLimits } from "./limits.ts";
import type { PlannedSegment } from "./segment-plan.ts";

/** Frames that go to the disk in one write, behind room for their header. Lies in one slab and in one segment. */
export interface Group {
  readonly slab: Slab;
  readonly memory: Memory;
  /** Where the header will be, in the slab. */
  readonly at: number;
  readonly segment: PlannedSegment;
  /** Position of the header. */
  readonly base: number;
  /** Bytes so far, the header included, and the most that may become of them. */
  length: number;
  readonly lengthMax: number;
  frames: number;
  /** Bytes, the header included, whose frames `framesCrc` covers. */
  hashed: number;
  framesCrc: number;
}

/**
 * Bytes of frames that are hashed at once: many small frames in one call, which for frames of 1 KiB halves the cost, and still
 * while they are in the processor's cache.
 */
const HASH_BYTES = 32 * 1024;

/**
 * The memory that frames are appended to: one slab at a time, filled with group after group.
 *
 * Invariants: the buffer holds one reference of its current slab, and each group that was begun one of its own.
 */
export class GroupBuffer {
  readonly #slabs: SlabPool;
  readonly #limits: WalLimits;
  #slab: Slab | undefined;
  #memory: Memory | undefined;
  #used = 0;

  constructor(slabs: SlabPool, limits: WalLimits) {
    this.#slabs = slabs;
    this.#limits = limits;
  }

  /** Makes sure that a group of `bytes` has room. @throws KarstError `MEMORY_BUDGET_EXCEEDED`, with nothing changed. */
  reserve(bytes: number): void {
    if (this.#slab !== undefined && this.#used + bytes <= this.#slab.bytes.length) return;
    const slab = this.#slabs.acquire(bytes);
    this.#slab?.release();
    this.#slab = slab;
    this.#memory = memoryOf(slab.bytes);
    this.#used = 0;
  }

  /** Begins a group where room was reserved; the one before it is complete. */
  begin(segment: PlannedSegment): Group {
    const slab = this.#slab;
    const memory = this.#memory;
    assert(slab !== undefined && memory !== undefined, "a group was begun without memory");
    slab.retain();
    const base = segment.base + segment.used;
    return {
      slab,
      memory,
      at: this.#used,
      segment,
      base,
      length: GROUP_HEADER_BYTES,
      lengthMax: slab.bytes.length - this.#used,
      frames: 0,
      hashed: GROUP_HEADER_BYTES,
      framesCrc: groupSeed(segment.seed, base),
    };
  }

  /** Takes the group's bytes out of the slab's free room. */
  complete(group: Group): void {
    this.#used = group.at + group.length;
  }

  /** Whether a frame of `frameBytes` may still join the group. */
  admits(group: Group, frameBytes: number, segmentRoom: number): boolean {
    const grown = group.length + frameBytes;
    return (
      group.frames < this.#limits.groupFramesMax &&
      grown <= this.#limits.groupBytesMax &&
      grown <= group.lengthMax &&
      grown <= segmentRoom
    );
  }

  /** Lets go of the current slab. */
  close(): void {
    this.#slab?.release();
    this.#slab = undefined;
  }
}

/** Copies a frame of `bytes` (see `frameBytes`) to the group's end, which has room for it; returns its payload's place in the slab. */
export function addFrame(group: Group, frame: FrameFields, bytes: number): number {
  const payloadAt = writeFrame(group.memory, group.at + group.length, frame, group.length);
  group.length += bytes;
  group.frames += 1;
  if (group.length - group.hashed >= HASH_BYTES) hash(group);
  return payloadAt;
}

/** Writes the header of a group that is complete; returns its bytes. */
export function finishGroup(
  group: Group,
  { sequence, watermark }: { readonly sequence: number; readonly watermark: number },
): Uint8Array {
  hash(group);
  const { memory, at, base, length, frames: frameCount, framesCrc, segment } = group;
  const header = { base, end: base + length, sequence, watermark, frameCount, framesCrc };
  writeGroupHeader(memory, at, header, segment.seed);
  return memory.bytes.subarray(at, at + length);
}

function hash(group: Group): void {
  const { at, hashed, length } = group;
  if (hashed === length) return;
  group.framesCrc = crc32c(group.memory.bytes.subarray(at + hashed, at + length), group.framesCrc);
  group.hashed = length;
}

export function memoryOf(bytes: Uint8Array): Memory {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
