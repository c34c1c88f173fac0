import type { Catalogue } from "../catalogue/catalogue.ts";
import { type ObjectRow, objectRow } from "../catalogue/rows/object-row.ts";
import { type ObjectRange, rangeAt } from "../catalogue/rows/range-table.ts";

/** What reading an object needs to know of it. */
export interface StoredObject {
  /** In the catalogue and in the object store. */
  readonly key: string;
  readonly bytes: number;
  readonly indexPosition: number;
}

/** One reference of a stream. */
export interface Reference {
  readonly object: StoredObject;
  /** Under which stream id the object's index has it. */
  readonly sourceStreamId: number;
  readonly start: number;
  readonly end: number;
  readonly maxTimestampMs: number;
}

/**
 * Which objects hold which offsets of one stream, in columns: element `i` of each is reference `i`.
 *
 * Invariant: ascending and disjoint.
 */
export class StreamReferences {
  readonly #objects: StoredObject[] = [];
  readonly #sources: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #timestamps: number[] = [];

  get length(): number {
    return this.#objects.length;
  }

  /** Where the last one ends; 0: there is none. */
  get end(): number {
    return this.#ends.at(-1) ?? 0;
  }

  at(i: number): Reference | undefined {
    const object = this.#objects[i];
    if (object === undefined) return undefined;
    return {
      object,
      sourceStreamId: this.#sources[i] as number,
      start: this.#starts[i] as number,
      end: this.#ends[i] as number,
      maxTimestampMs: this.#timestamps[i] as number,
    };
  }

  /** The first reference that ends above `offset`; `length`: none. */
  firstEndingAbove(offset: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  add(object: StoredObject, range: ObjectRange): void {
    const i = this.firstEndingAbove(range.start);
    // The same range again: it was loaded from the image before its commit was heard of here.
    const replaced = this.#starts[i] === range.start ? 1 : 0;
    this.#objects.splice(i, replaced, object);
    this.#sources.splice(i, replaced, range.sourceStreamId);
    this.#starts.splice(i, replaced, range.start);
    this.#ends.splice(i, replaced, range.end);
    this.#timestamps.splice(i, replaced, range.maxTimestampMs);
  }

  /** Where the references begin that lead to `offset` without a gap; `offset`: there are none. */
  startOfChain(offset: number): number {
    let i = this.firstEndingAbove(offset);
    let start = Math.min(offset, this.#starts[i] ?? offset);
    for (; i > 0 && this.#ends[i - 1] === start; i -= 1) start = this.#starts[i - 1] as number;
    return start;
  }

  /** Objects of the references that lie wholly below `offset`. */
  objectsBelow(offset: number): readonly StoredObject[] {
    return [...new Set(this.#objects.slice(0, this.firstEndingAbove(offset)))];
  }

  /** Forgets the references that lie wholly below `offset`. */
  dropBelow(offset: number): void {
    const count = this.firstEndingAbove(offset);
    for (const column of [this.#objects, this.#sources, this.#starts, this.#ends, this.#timestamps])
      column.splice(0, count);
  }
}

/** The references of every stream of the root, as of the last `load` and what was added since. */
export class References {
  #streams = new Map<number, StreamReferences>();

  /** Streams that have been asked for, or that some object holds. */
  get streams(): number {
    return this.#streams.size;
  }

  of(streamId: number): StreamReferences {
    let references = this.#streams.get(streamId);
    if (references === undefined) {
      references = new StreamReferences();
      this.#streams.set(streamId, references);
    }
    return references;
  }

  /** Reads all objects of the image anew. */
  load(catalogue: Pick<Catalogue, "get" | "scan">): void {
    this.#streams = new Map();
    for (const row of objectRow.scan(catalogue)) this.add(row.key, row.value);
  }

  add(key: string, row: ObjectRow): void {
    const object: StoredObject = { key, bytes: row.bytes, indexPosition: row.indexPosition };
    for (let i = 0; i < row.ranges.count; i += 1) {
      const range = rangeAt(row.ranges, i);
      this.of(range.streamId).add(object, range);
    }
  }

  drop(streamId: number): void {
    this.#streams.delete(streamId);
  }
}
