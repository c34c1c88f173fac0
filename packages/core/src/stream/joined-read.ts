import { assert } from "@karst/runtime";
import type { Lease } from "../cache/lease-cache.ts";
import type { Block } from "../format/object-block.ts";
import type { StreamBatch, StreamRead } from "./stream.ts";

/** How far a read has come, and what it may still take. */
export interface BatchRoom {
  readonly offset: number;
  /** Exclusive bound: a batch that reaches over it is not taken. */
  readonly before: number;
  /** Payload bytes left; the first batch of a read is taken whatever its size. */
  readonly bytes: number;
}

/**
 * Takes what there is room for from a block that holds `room.offset`. `full`: something was left.
 *
 * @param end of the reference that the block was found through: what the block holds above it is not the stream's.
 */
export function takeBatches(
  block: Block,
  end: number,
  room: BatchRoom,
  batches: StreamBatch[],
): BatchRoom & { readonly full: boolean } {
  let { offset, bytes } = room;
  const before = Math.min(room.before, end);
  for (let at = block.seek(offset); at < block.bytes.length; at = block.next(at)) {
    const size = block.payloadBytesAt(at);
    if (block.endAt(at) > before || (batches.length > 0 && size > bytes))
      return { ...room, offset, bytes, full: true };
    batches.push(block.batch(at));
    bytes -= size;
    offset = block.endAt(at);
  }
  return {
    ...room,
    offset: Math.max(offset, Math.min(block.endOffset, before)),
    bytes,
    full: false,
  };
}

/** Batches of objects, then of the log cache. */
export class JoinedRead implements StreamRead {
  readonly batches: readonly StreamBatch[];
  readonly nextOffset: number;
  readonly #leases: readonly Lease<Block>[];
  readonly #cached: StreamRead | undefined;
  #released = false;

  constructor(
    batches: readonly StreamBatch[],
    nextOffset: number,
    leases: readonly Lease<Block>[],
    cached: StreamRead | undefined,
  ) {
    this.batches = batches;
    this.nextOffset = nextOffset;
    this.#leases = leases;
    this.#cached = cached;
  }

  release(): void {
    assert(!this.#released, "released a read twice");
    this.#released = true;
    for (const lease of this.#leases) lease.release();
    this.#cached?.release();
  }
}
