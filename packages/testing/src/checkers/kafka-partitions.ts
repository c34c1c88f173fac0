import type { AnomalyList } from "./anomaly-list.ts";
import type {
  KafkaOperation,
  PolledPartition,
  PollOperation,
  SendOperation,
} from "./kafka-history.ts";
import { firstAtLeast } from "./schedule.ts";

/** One value that was sent, and where it is. */
export interface SentValue {
  readonly value: number;
  readonly send: SendOperation;
  /** undefined: not known to be there. */
  offset: number | undefined;
  /** Who read it first. */
  poll: PollOperation | undefined;
}

/** What is known of one partition, from sends that were acknowledged and from all polls. */
export interface KnownPartition {
  /** Ascending offsets at which there are values. */
  readonly offsets: Float64Array;
  /** Greatest offset that anybody read; -1: none. */
  readonly readMax: number;
  /** Greatest start of the log that anybody was told. */
  readonly startMax: number;
}

export interface KnownPartitions {
  readonly byPartition: ReadonlyMap<number | string, KnownPartition>;
  readonly values: ReadonlyMap<number, SentValue>;
}

/** An offset's value, and who said so first. */
interface Place {
  readonly value: number;
  readonly source: KafkaOperation;
}

interface Draft {
  readonly partition: number | string;
  readonly places: Map<number, Place>;
  readMax: number;
  startMax: number;
}

/** @throws TypeError A value was sent twice. */
export function collectPartitions(
  operations: readonly KafkaOperation[],
  anomalies: AnomalyList,
): KnownPartitions {
  const collector = new Collector(anomalies);
  for (const operation of operations) if (operation.kind === "send") collector.addSend(operation);
  for (const operation of operations) {
    if (operation.kind !== "poll") continue;
    for (const polled of operation.partitions) collector.addPoll(operation, polled);
  }
  return collector.finish();
}

/** Whether a value is known to be strictly between two offsets, and not below `start`. */
export function leavesOut(
  { offsets }: KnownPartition,
  before: number,
  next: number,
  start: number,
): boolean {
  const i = firstAtLeast(offsets, Math.max(before + 1, start));
  return (offsets[i] ?? Infinity) < next;
}

class Collector {
  readonly #anomalies: AnomalyList;
  readonly #drafts = new Map<number | string, Draft>();
  readonly #values = new Map<number, SentValue>();

  constructor(anomalies: AnomalyList) {
    this.#anomalies = anomalies;
  }

  addSend(send: SendOperation): void {
    const draft = this.#draftOf(send.partition);
    for (const [i, value] of send.values.entries()) {
      if (this.#values.has(value)) throw new TypeError(`value ${value} was sent twice`);
      const sent: SentValue = { value, send, offset: undefined, poll: undefined };
      this.#values.set(value, sent);
      if (send.outcome.tag !== "ok") continue;
      sent.offset = send.outcome.baseOffset + i;
      this.#put(draft, sent.offset, value, send);
    }
  }

  addPoll(poll: PollOperation, { partition, records, logStartOffset }: PolledPartition): void {
    const draft = this.#draftOf(partition);
    draft.startMax = Math.max(draft.startMax, logStartOffset ?? 0);
    for (const { offset, value } of records) {
      draft.readMax = Math.max(draft.readMax, offset);
      this.#put(draft, offset, value, poll);
      this.#see(poll, partition, offset, value);
    }
  }

  finish(): KnownPartitions {
    const byPartition = new Map<number | string, KnownPartition>();
    for (const [partition, { places, readMax, startMax }] of this.#drafts) {
      const offsets = Float64Array.from(places.keys()).sort();
      byPartition.set(partition, { offsets, readMax, startMax });
    }
    return { byPartition, values: this.#values };
  }

  #see(poll: PollOperation, partition: number | string, offset: number, value: number): void {
    const sent = this.#values.get(value);
    const add = (kind: "unsent" | "G1a" | "misplaced" | "duplicate", also?: KafkaOperation): void =>
      this.#anomalies.add({
        kind,
        partition,
        operations: also === undefined ? [poll] : [also, poll],
        detail: `${value} at ${offset}`,
      });
    if (sent === undefined) {
      add("unsent");
      return;
    }
    const { send } = sent;
    if (send.outcome.tag === "failed") add("G1a", send);
    if (send.partition !== partition) {
      add("misplaced", send);
      return;
    }
    if (sent.offset !== undefined && sent.offset !== offset) add("duplicate", sent.poll ?? send);
    sent.offset ??= offset;
    sent.poll ??= poll;
  }

  #put(draft: Draft, offset: number, value: number, source: KafkaOperation): void {
    const known = draft.places.get(offset);
    if (known === undefined) draft.places.set(offset, { value, source });
    if (known === undefined || known.value === value) return;
    this.#anomalies.add({
      kind: "inconsistent-offsets",
      partition: draft.partition,
      operations: [known.source, source],
      detail: `${known.value} and ${value} at ${offset}`,
    });
  }

  #draftOf(partition: number | string): Draft {
    const known = this.#drafts.get(partition);
    if (known !== undefined) return known;
    const draft: Draft = {
      partition,
      places: new Map(),
      readMax: -1,
      startMax: 0,
    };
    this.#drafts.set(partition, draft);
    return draft;
  }
}
