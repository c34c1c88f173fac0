import assert from "node:assert/strict";
import { hashOf, type JournalEntry } from "./journal.ts";

/** A record as some reader found it. */
export interface ReadRow {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: number;
  readonly value: string;
}

export interface VerifyOptions {
  readonly journal: readonly JournalEntry[];
  readonly read: readonly ReadRow[];
  /** Ids of all rows that were to be written, by topic, in the producer's order per partition. */
  readonly written: ReadonlyMap<string, readonly (readonly number[])[]>;
  readonly idempotentTopics: ReadonlySet<string>;
  /** Ids of rows that were in flight when something was killed. */
  readonly inFlightAtKill: ReadonlySet<number>;
}

export interface Verdict {
  readonly acknowledged: number;
  readonly records: number;
  /** Second and later occurrences of a row, all of which were in flight at a kill. */
  readonly duplicates: number;
}

/**
 * What a user relies on: every acknowledged row is at its offset, byte for byte; each producer's order holds in each partition;
 * an idempotent producer's rows occur once; another's occur again only if they were in flight at a kill.
 *
 * @throws AssertionError that names the first row for which it does not hold.
 */
export function verify(options: VerifyOptions): Verdict {
  const at = new Map<string, ReadRow>();
  for (const row of options.read) {
    const place = `${row.topic}/${row.partition}@${row.offset}`;
    assert.ok(!at.has(place), `two records at ${place}`);
    at.set(place, row);
  }
  for (const entry of options.journal) {
    const place = `${entry.topic}/${entry.partition}@${entry.offset}`;
    const row = at.get(place);
    assert.ok(row !== undefined, `acknowledged row ${entry.id} at ${place} is lost`);
    assert.equal(row.id, entry.id, `${place} holds another row than the acknowledged one`);
    assert.equal(hashOf(row.value), entry.hash, `row ${entry.id} at ${place} has other bytes`);
  }
  let duplicates = 0;
  for (const [topic, partitions] of options.written) {
    for (const [partition, ids] of partitions.entries()) {
      const found = options.read
        .filter((row) => row.topic === topic && row.partition === partition)
        .sort((a, b) => a.offset - b.offset);
      duplicates += verifyPartition(topic, partition, ids, found, options);
    }
  }
  return { acknowledged: options.journal.length, records: options.read.length, duplicates };
}

function verifyPartition(
  topic: string,
  partition: number,
  ids: readonly number[],
  found: readonly ReadRow[],
  options: VerifyOptions,
): number {
  const where = `${topic}/${partition}`;
  const first = new Set<number>();
  const order: number[] = [];
  let duplicates = 0;
  for (const row of found) {
    if (!first.has(row.id)) {
      first.add(row.id);
      order.push(row.id);
      continue;
    }
    duplicates += 1;
    assert.ok(
      !options.idempotentTopics.has(topic),
      `idempotent row ${row.id} occurs again at ${where}@${row.offset}`,
    );
    assert.ok(
      options.inFlightAtKill.has(row.id),
      `row ${row.id} occurs again at ${where}@${row.offset}, but no kill met it`,
    );
  }
  assert.deepEqual(order, ids, `order of ${where}`);
  return duplicates;
}
