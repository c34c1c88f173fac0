import assert from "node:assert/strict";
import type { Bounds, SeenRecord, Try } from "./protocol.ts";
import { hashOf, valueOf } from "./values.ts";

/** What one life did to one partition. */
interface LifeNotes {
  /** What it found when it opened. */
  readonly opening: Bounds;
  /** In the order of the calls. */
  readonly tries: Try[];
  readonly refused: Set<number>;
  readonly answered: Set<number>;
}

/**
 * What must be in one partition, whatever happened to the processes that wrote it.
 *
 * Invariants: a fact (a record that was acknowledged, or read after a restart) keeps its offset and its bytes until it is trimmed;
 * an id has one place; `#doubtful` holds what was tried and is neither a fact nor known to have failed.
 */
export class LogBook {
  readonly #name: string;
  readonly #facts = new Map<number, number>();
  readonly #places = new Map<number, number>();
  /** Of facts. */
  readonly #hashes = new Map<number, string>();
  readonly #doubtful = new Map<number, Try>();
  /** Before the present one, since the last complete reading. */
  #past: LifeNotes[] = [];
  /** By record: what those lives tried, and may have left. */
  readonly #candidates = new Map<number, Try>();
  #present: LifeNotes | undefined;
  #nextSeen = 0;
  /** The greatest start that is sure, and those that a trim without an answer may have made. */
  #start = 0;
  #maybeStarts: number[] = [];
  #checked = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Appends, trims and readings whose outcome was compared with what it must be. */
  get checkedOperations(): number {
    return this.#checked;
  }

  /** Tries of the present life without an answer. */
  get inFlight(): number {
    if (this.#present === undefined) return 0;
    const { tries, answered, refused } = this.#present;
    return tries.length - answered.size - refused.size;
  }

  /** Of an idempotent producer, in order: to be sent again. */
  unanswered(producer: number): Try[] {
    return [...this.#doubtful.values()].filter((each) => each.producer?.index === producer);
  }

  opened(bounds: Bounds): void {
    this.#present = { opening: bounds, tries: [], refused: new Set(), answered: new Set() };
    const starts = [this.#start, ...this.#maybeStarts];
    assert.ok(
      starts.includes(bounds.start),
      this.#say(`starts at ${bounds.start}, not ${starts.join(" or ")}`),
    );
    this.#checked += starts.length;
    this.#start = bounds.start;
    this.#maybeStarts = [];
    for (const [offset, id] of this.#facts)
      assert.ok(
        offset < bounds.end,
        this.#say(`record ${id} at ${offset} is lost: end ${bounds.end}`),
      );
    this.#nextSeen = bounds.start;
    this.#candidates.clear();
    for (const each of this.#past.flatMap(({ tries }) => tries))
      for (let i = 0; i < each.count; i += 1) this.#candidates.set(each.firstId + i, each);
  }

  tried(each: Try): void {
    this.#life().tries.push(each);
    this.#doubtful.set(each.firstId, each);
  }

  refused(firstId: number): void {
    const each = this.#doubtful.get(firstId);
    assert.ok(each !== undefined, this.#say(`nobody tried ${firstId}, which was refused`));
    this.#life().refused.add(firstId);
    // A producer sends it again in its next life.
    if (each.producer === undefined) this.#doubtful.delete(firstId);
  }

  acknowledged(firstId: number, offset: number): void {
    const { tries, answered } = this.#life();
    const each = tries.find((candidate) => candidate.firstId === firstId);
    assert.ok(each !== undefined, this.#say(`nobody tried ${firstId}, which was acknowledged`));
    assert.ok(!answered.has(firstId), this.#say(`${firstId} was acknowledged twice`));
    answered.add(firstId);
    this.#settle(each, offset);
  }

  seen(records: readonly SeenRecord[]): void {
    for (const [offset, id, hash] of records) {
      assert.equal(offset, this.#nextSeen, this.#say("a hole, or a record twice"));
      this.#nextSeen += 1;
      const fact = this.#facts.get(offset);
      if (fact !== undefined)
        assert.equal(id, fact, this.#say(`another record than the acknowledged one at ${offset}`));
      else this.#discover(offset, id);
      assert.equal(hash, this.#hash(id), this.#say(`other bytes of ${id} at ${offset}`));
    }
  }

  /** The present life has read all that was there when it opened. */
  seenAll(): void {
    const { opening } = this.#life();
    assert.equal(this.#nextSeen, opening.end, this.#say("not everything was read"));
    for (const [index, life] of this.#past.entries())
      this.#checkLife(life, this.#past[index + 1]?.opening.end ?? opening.end);
    const present = new Set(this.#life().tries.map(({ firstId }) => firstId));
    for (const { firstId, producer } of this.#past.flatMap(({ tries }) => tries)) {
      // It was not there: nor will it ever be, unless somebody sends it again.
      if (producer === undefined && !present.has(firstId)) this.#doubtful.delete(firstId);
    }
    this.#past = [];
    this.#checked += 1;
    for (const [offset, id] of this.#facts) {
      if (offset >= opening.start) continue;
      this.#places.delete(id);
      this.#hashes.delete(id);
      this.#facts.delete(offset);
    }
  }

  trimming(before: number): void {
    this.#maybeStarts.push(before);
  }

  trimmed(before: number): void {
    this.#start = before;
    this.#maybeStarts = this.#maybeStarts.filter((each) => each > before);
  }

  died(): void {
    if (this.#present !== undefined) this.#past.push(this.#present);
    this.#present = undefined;
  }

  /**
   * Of what a life appended, the log keeps a beginning, in the order of the calls, without holes, from where that life had found its
   * end to where the next one did. Whole batches only.
   */
  #checkLife({ opening, tries, refused }: LifeNotes, end: number): void {
    let next = opening.end;
    let missing: number | undefined;
    for (const { firstId, count } of tries) {
      this.#checked += 1;
      const place = this.#places.get(firstId);
      for (let i = 1; i < count; i += 1) {
        const expected = place === undefined ? undefined : place + i;
        assert.equal(this.#places.get(firstId + i), expected, this.#say(`a part of ${firstId}`));
      }
      // Sent again, and there already.
      if (place !== undefined && place < opening.end) continue;
      if (refused.has(firstId)) {
        // A producer's may come later, in another life.
        assert.ok(
          place === undefined || place >= end,
          this.#say(`${firstId} was refused, but is there`),
        );
      } else if (place === undefined || place >= end) missing ??= firstId;
      else {
        assert.equal(
          missing,
          undefined,
          this.#say(`${missing} is missing, ${firstId} after it is there`),
        );
        assert.equal(place, next, this.#say(`${firstId} is out of order`));
        next += count;
      }
    }
    assert.equal(next, end, this.#say("more or less than was appended"));
  }

  /** A record that no answer told of: one that an earlier life had in flight. */
  #discover(offset: number, id: number): void {
    assert.equal(
      this.#places.get(id),
      undefined,
      this.#say(`${id} at ${offset} for a second time`),
    );
    const each = this.#candidates.get(id);
    assert.ok(each !== undefined, this.#say(`nobody wrote, or not any more, ${id} at ${offset}`));
    this.#note(offset, id);
    this.#doubtful.delete(each.firstId);
  }

  #settle({ firstId, count }: Try, offset: number): void {
    for (let i = 0; i < count; i += 1) {
      const place = this.#places.get(firstId + i);
      assert.ok(
        place === undefined || place === offset + i,
        this.#say(`${firstId + i} has two places`),
      );
      const fact = this.#facts.get(offset + i);
      assert.ok(
        fact === undefined || fact === firstId + i,
        this.#say(`${offset + i} has two records`),
      );
      this.#note(offset + i, firstId + i);
    }
    this.#doubtful.delete(firstId);
  }

  #note(offset: number, id: number): void {
    this.#facts.set(offset, id);
    this.#places.set(id, offset);
  }

  #hash(id: number): string {
    const hash = this.#hashes.get(id) ?? hashOf(valueOf(id));
    this.#hashes.set(id, hash);
    return hash;
  }

  #life(): LifeNotes {
    assert.ok(this.#present !== undefined, this.#say("not open"));
    return this.#present;
  }

  #say(text: string): string {
    return `${this.#name}: ${text}`;
  }
}
