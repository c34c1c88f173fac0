import type { PackedReader } from "../packed/reader.ts";
import type { PackedWriter } from "../packed/writer.ts";
import { KEY_NUMBER_MAX, unsigned } from "./key-parts.ts";

/** A reference: what an object holds of one stream. */
export interface ObjectRange {
  /** The stream that reads it. */
  readonly streamId: number;
  /** The stream it was written for; differs for forks. */
  readonly sourceStreamId: number;
  /** Logical, `[start, end)`; may have holes. */
  readonly start: number;
  readonly end: number;
  /** 0 is legal. At most 2³² − 1. */
  readonly records: number;
  /** Of the range's blocks. */
  readonly bytes: number;
  /** -1: none. */
  readonly maxTimestampMs: number;
}

/** Ranges by ascending (streamId, start), in columns: element `i` of each is range `i`. Never modified. */
export interface RangeTable {
  readonly count: number;
  readonly streamId: Float64Array;
  readonly sourceStreamId: Float64Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly records: Uint32Array;
  readonly bytes: Float64Array;
  readonly maxTimestampMs: Float64Array;
}

const NO_TIMESTAMP = -1;
const RANGE_BYTES_MIN = 7;

function emptyTable(count: number): RangeTable {
  return {
    count,
    streamId: new Float64Array(count),
    sourceStreamId: new Float64Array(count),
    start: new Float64Array(count),
    end: new Float64Array(count),
    records: new Uint32Array(count),
    bytes: new Float64Array(count),
    maxTimestampMs: new Float64Array(count),
  };
}

/**
 * The table of these ranges, in any order.
 *
 * @throws TypeError where a number is out of bounds, a range is empty, or two of one stream overlap.
 */
export function rangeTable(ranges: readonly ObjectRange[]): RangeTable {
  const sorted = ranges.toSorted((a, b) => a.streamId - b.streamId || a.start - b.start);
  const table = emptyTable(sorted.length);
  for (const [i, range] of sorted.entries()) {
    table.streamId[i] = unsigned(range.streamId, "streamId", KEY_NUMBER_MAX);
    table.sourceStreamId[i] = unsigned(range.sourceStreamId, "sourceStreamId", KEY_NUMBER_MAX);
    table.start[i] = unsigned(range.start, "start");
    table.end[i] = unsigned(range.end, "end");
    table.records[i] = unsigned(range.records, "records", 0xffff_ffff);
    table.bytes[i] = unsigned(range.bytes, "bytes");
    table.maxTimestampMs[i] = unsigned(range.maxTimestampMs + 1, "maxTimestampMs") - 1;
    if (range.end <= range.start)
      throw new TypeError(`range [${range.start}, ${range.end}) is empty`);
    if (range.start < previousEnd(table, i))
      throw new TypeError(`ranges of stream ${range.streamId} overlap`);
  }
  return table;
}

export function rangeAt(table: RangeTable, index: number): ObjectRange {
  if (!(index >= 0 && index < table.count))
    throw new TypeError(`no range ${index} in ${table.count}`);
  return {
    streamId: table.streamId[index] as number,
    sourceStreamId: table.sourceStreamId[index] as number,
    start: table.start[index] as number,
    end: table.end[index] as number,
    records: table.records[index] as number,
    bytes: table.bytes[index] as number,
    maxTimestampMs: table.maxTimestampMs[index] as number,
  };
}

/** Indexes `[first, last)` of one stream's ranges, in offset order. */
export function rangesOf(
  table: RangeTable,
  streamId: number,
): { readonly first: number; readonly last: number } {
  return {
    first: lowerBound(table.streamId, streamId),
    last: lowerBound(table.streamId, streamId + 1),
  };
}

function lowerBound(column: Float64Array, value: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((column[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Columns, one after the other, so that like stands beside like: count; then of each range streamId (minus the one before);
 * source (0: the stream itself, else source + 1); start (minus the stream's previous end, or 0); end − start; records; bytes;
 * time (0: none, else minus the table's smallest, + 1), after that smallest. All varints.
 */
export function writeRangeTable(writer: PackedWriter, table: RangeTable): void {
  writer.varint(table.count);
  for (let i = 0; i < table.count; i += 1)
    writer.varint(at(table.streamId, i) - (i === 0 ? 0 : at(table.streamId, i - 1)));
  for (let i = 0; i < table.count; i += 1) {
    writer.varint(
      at(table.sourceStreamId, i) === at(table.streamId, i) ? 0 : at(table.sourceStreamId, i) + 1,
    );
  }
  for (let i = 0; i < table.count; i += 1)
    writer.varint(at(table.start, i) - previousEnd(table, i));
  for (let i = 0; i < table.count; i += 1) writer.varint(at(table.end, i) - at(table.start, i));
  for (let i = 0; i < table.count; i += 1) writer.varint(at(table.records, i));
  for (let i = 0; i < table.count; i += 1) writer.varint(at(table.bytes, i));
  const smallest = smallestTimestamp(table);
  writer.varint(smallest);
  for (let i = 0; i < table.count; i += 1) {
    const timestamp = at(table.maxTimestampMs, i);
    writer.varint(timestamp === NO_TIMESTAMP ? 0 : timestamp - smallest + 1);
  }
}

export function readRangeTable(reader: PackedReader): RangeTable {
  const count = reader.count(RANGE_BYTES_MIN);
  const table = emptyTable(count);
  for (let i = 0; i < count; i += 1) {
    const streamId = reader.varint() + (i === 0 ? 0 : at(table.streamId, i - 1));
    if (streamId > KEY_NUMBER_MAX) throw reader.corrupt("a stream id above the safe integers");
    table.streamId[i] = streamId;
  }
  for (let i = 0; i < count; i += 1) {
    const source = reader.varint();
    if (source === at(table.streamId, i) + 1)
      throw reader.corrupt("a source that is the stream itself");
    table.sourceStreamId[i] = source === 0 ? at(table.streamId, i) : source - 1;
  }
  // A start is relative to the end before it: first the gaps, then both columns.
  for (let i = 0; i < count; i += 1) table.start[i] = reader.varint();
  for (let i = 0; i < count; i += 1) {
    const start = at(table.start, i) + previousEnd(table, i);
    const end = start + reader.varint();
    if (!Number.isSafeInteger(end) || end === start)
      throw reader.corrupt(`a range [${start}, ${end})`);
    table.start[i] = start;
    table.end[i] = end;
  }
  for (let i = 0; i < count; i += 1) {
    const records = reader.varint();
    if (records > 0xffff_ffff) throw reader.corrupt(`${records} records in a range`);
    table.records[i] = records;
  }
  for (let i = 0; i < count; i += 1) table.bytes[i] = reader.varint();
  const smallest = reader.varint();
  for (let i = 0; i < count; i += 1) {
    const code = reader.varint();
    table.maxTimestampMs[i] = code === 0 ? NO_TIMESTAMP : smallest + code - 1;
    if (at(table.maxTimestampMs, i) >= Number.MAX_SAFE_INTEGER)
      throw reader.corrupt("a timestamp above the safe integers");
  }
  if (smallest !== smallestTimestamp(table))
    throw reader.corrupt("a smallest timestamp that is not the smallest");
  return table;
}

function at(column: Float64Array | Uint32Array, index: number): number {
  return column[index] as number;
}

function previousEnd(table: RangeTable, index: number): number {
  const same = index > 0 && at(table.streamId, index - 1) === at(table.streamId, index);
  return same ? at(table.end, index - 1) : 0;
}

/** 0 where no range has a timestamp. */
function smallestTimestamp(table: RangeTable): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (const timestamp of table.maxTimestampMs) {
    if (timestamp !== NO_TIMESTAMP && timestamp < smallest) smallest = timestamp;
  }
  return smallest === Number.POSITIVE_INFINITY ? 0 : smallest;
}
