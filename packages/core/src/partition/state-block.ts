import { crc32c, getInt64, isKarstError, type KarstError, setInt64, viewOf } from "@karst/runtime";
import { coreError } from "../errors.ts";
import type { LeaderEpoch } from "./leader-epochs.ts";
import { PRODUCER_BATCHES_MAX, type ProducedBatch, type ProducerState } from "./producer-table.ts";

/*
 * State block of a partition, big-endian:
 *
 *   block    := magic u32 "KPST", version u16 (1), features u32 (0), endOffset i64, epochs, producers, aborted, crc u32
 *   epochs   := count u32, (epoch i32, startOffset i64)*                       ascending
 *   producers:= count u32, (producerId i64, epoch i16, lastAppendMs i64, batchCount u8, batch*)*   longest silent first
 *   batch    := baseSequence i32, lastSequence i32, baseOffset i64, logAppendTimeMs i64      oldest first, 1..5
 *   aborted  := count u32, (producerId i64, firstOffset i64, lastOffset i64)*  transactions, by last offset
 *
 * crc is the CRC-32C of everything before it. A feature bit that is not known here refuses to open.
 */

const MAGIC = 0x4b50_5354;
const VERSION = 1;
const KNOWN_FEATURES = 0;
const HEADER_BYTES = 18;
const EPOCH_BYTES = 12;
const PRODUCER_BYTES = 19;
const BATCH_BYTES = 24;
const ABORTED_BYTES = 24;
const CRC_BYTES = 4;

/** An aborted transaction's place in the log. */
export interface AbortedRange {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of its marker, inclusive. */
  readonly lastOffset: number;
}

/** What a partition is after every record below `endOffset`. */
export interface PartitionSnapshot {
  readonly endOffset: number;
  readonly epochs: readonly LeaderEpoch[];
  /** Longest silent first. */
  readonly producers: readonly (readonly [number, ProducerState])[];
  readonly aborted: readonly AbortedRange[];
}

const DURABLE: Promise<void> = Promise.resolve();

/** Fresh bytes. */
export function encodeStateBlock(snapshot: PartitionSnapshot): Uint8Array {
  const block = new Uint8Array(blockBytes(snapshot));
  const view = viewOf(block);
  view.setUint32(0, MAGIC);
  view.setUint16(4, VERSION);
  view.setUint32(6, 0);
  setInt64(view, 10, snapshot.endOffset);
  let at = writeCount(view, HEADER_BYTES, snapshot.epochs.length);
  for (const { epoch, startOffset } of snapshot.epochs) {
    view.setInt32(at, epoch);
    setInt64(view, at + 4, startOffset);
    at += EPOCH_BYTES;
  }
  at = writeCount(view, at, snapshot.producers.length);
  for (const [producerId, state] of snapshot.producers)
    at = writeProducer(view, at, producerId, state);
  at = writeCount(view, at, snapshot.aborted.length);
  for (const aborted of snapshot.aborted) {
    setInt64(view, at, aborted.producerId);
    setInt64(view, at + 8, aborted.firstOffset);
    setInt64(view, at + 16, aborted.lastOffset);
    at += ABORTED_BYTES;
  }
  view.setUint32(at, crc32c(block.subarray(0, at)));
  return block;
}

/** @throws KarstError `STATE_BLOCK_CORRUPT` (`corrupt`), also for a version or a feature that is not known here. */
export function decodeStateBlock(block: Uint8Array): PartitionSnapshot {
  const end = block.length - CRC_BYTES;
  if (end < HEADER_BYTES) throw corrupt(`${block.length} bytes`);
  const view = viewOf(block);
  if (view.getUint32(0) !== MAGIC) throw corrupt("wrong magic");
  if (view.getUint32(end) !== crc32c(block.subarray(0, end))) throw corrupt("wrong CRC");
  if (view.getUint16(4) !== VERSION) throw corrupt(`version ${view.getUint16(4)} is not known`);
  if ((view.getUint32(6) & ~KNOWN_FEATURES) !== 0)
    throw corrupt(`features ${view.getUint32(6)} are not all known`);
  try {
    return readBody(new BodyReader(view, end));
  } catch (cause) {
    if (isKarstError(cause, "corrupt")) throw corrupt(cause.message, cause);
    throw cause;
  }
}

function readBody(reader: BodyReader): PartitionSnapshot {
  const endOffset = getInt64(reader.view, 10);
  const epochs: LeaderEpoch[] = [];
  for (let left = reader.count(EPOCH_BYTES); left > 0; left -= 1) {
    epochs.push({ epoch: reader.int32(), startOffset: reader.int64() });
  }
  const producers: [number, ProducerState][] = [];
  for (let left = reader.count(PRODUCER_BYTES); left > 0; left -= 1)
    producers.push(readProducer(reader));
  const aborted: AbortedRange[] = [];
  for (let left = reader.count(ABORTED_BYTES); left > 0; left -= 1) {
    aborted.push({
      producerId: reader.int64(),
      firstOffset: reader.int64(),
      lastOffset: reader.int64(),
    });
  }
  if (reader.remaining !== 0) throw corrupt(`${reader.remaining} bytes too many`);
  return { endOffset, epochs, producers, aborted };
}

function readProducer(reader: BodyReader): [number, ProducerState] {
  const producerId = reader.int64();
  const epoch = reader.int16();
  const lastAppendMs = reader.int64();
  const count = reader.uint8();
  if (count < 1 || count > PRODUCER_BATCHES_MAX) throw corrupt(`a producer with ${count} batches`);
  const batches: ProducedBatch[] = [];
  for (let i = 0; i < count; i += 1) {
    batches.push({
      baseSequence: reader.int32(),
      lastSequence: reader.int32(),
      baseOffset: reader.int64(),
      logAppendTimeMs: reader.int64(),
      durable: DURABLE,
    });
  }
  return [producerId, { epoch, lastAppendMs, batches }];
}

function writeProducer(
  view: DataView,
  position: number,
  producerId: number,
  state: ProducerState,
): number {
  setInt64(view, position, producerId);
  view.setInt16(position + 8, state.epoch);
  setInt64(view, position + 10, state.lastAppendMs);
  view.setUint8(position + 18, state.batches.length);
  let at = position + PRODUCER_BYTES;
  for (const batch of state.batches) {
    view.setInt32(at, batch.baseSequence);
    view.setInt32(at + 4, batch.lastSequence);
    setInt64(view, at + 8, batch.baseOffset);
    setInt64(view, at + 16, batch.logAppendTimeMs);
    at += BATCH_BYTES;
  }
  return at;
}

function writeCount(view: DataView, at: number, count: number): number {
  view.setUint32(at, count);
  return at + 4;
}

function blockBytes(snapshot: PartitionSnapshot): number {
  let bytes = HEADER_BYTES + 3 * 4 + CRC_BYTES;
  bytes += snapshot.epochs.length * EPOCH_BYTES + snapshot.aborted.length * ABORTED_BYTES;
  for (const [, state] of snapshot.producers)
    bytes += PRODUCER_BYTES + state.batches.length * BATCH_BYTES;
  return bytes;
}

/** Reads what follows the header, up to the CRC. */
class BodyReader {
  readonly view: DataView;
  readonly #end: number;
  #at = HEADER_BYTES;

  constructor(view: DataView, end: number) {
    this.view = view;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** A count of things of at least `bytesMin` bytes each, which must still be there: bounds allocation. */
  count(bytesMin: number): number {
    const count = this.view.getUint32(this.#take(4));
    if (count * bytesMin > this.remaining)
      throw corrupt(`${count} elements in ${this.remaining} bytes`);
    return count;
  }

  uint8(): number {
    return this.view.getUint8(this.#take(1));
  }

  int16(): number {
    return this.view.getInt16(this.#take(2));
  }

  int32(): number {
    return this.view.getInt32(this.#take(4));
  }

  int64(): number {
    return getInt64(this.view, this.#take(8));
  }

  #take(bytes: number): number {
    if (bytes > this.remaining) throw corrupt("cut short");
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}

function corrupt(problem: string, cause?: unknown): KarstError {
  return coreError("STATE_BLOCK_CORRUPT", `partition state block: ${problem}`, cause);
}
