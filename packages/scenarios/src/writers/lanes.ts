import type { Row } from "../dataset.ts";
import { within } from "../within.ts";
import { rowsOfPartition, type Writer, type WriterOptions } from "./writer.ts";

/** A batch that is not acknowledged then, over all deaths on the way, will never be. */
const SEND_TIMEOUT_MS = 180_000;

/** Sends one batch to one partition until it is acknowledged. @returns the offset of each row. */
export type Send = (partition: number, rows: readonly Row[]) => Promise<readonly number[]>;

/** A writer with one lane per partition: in a lane one batch after the other, so that its order is the producer's order. */
export class LaneWriter implements Writer {
  readonly #options: WriterOptions;
  readonly #send: Send;
  readonly #close: () => Promise<void>;
  readonly inFlight: Set<number> = new Set();

  constructor(options: WriterOptions, send: Send, close: () => Promise<void>) {
    this.#options = options;
    this.#send = send;
    this.#close = close;
  }

  get topic(): string {
    return this.#options.topic;
  }

  get idempotent(): boolean {
    return this.#options.idempotent;
  }

  async write(rows: readonly Row[]): Promise<void> {
    const { partitions } = this.#options;
    const lanes = Array.from({ length: partitions }, (_, partition) =>
      this.#writeLane(partition, rowsOfPartition(rows, partition, partitions)),
    );
    await Promise.all(lanes);
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #writeLane(partition: number, rows: readonly Row[]): Promise<void> {
    for (let at = 0; at < rows.length;) {
      this.#options.signal.throwIfAborted();
      const batch = rows.slice(at, at + this.#options.nextBatchSize());
      for (const row of batch) this.inFlight.add(row.id);
      const what = `${batch.length} rows of ${this.topic}/${partition} from ${batch[0]?.id} on are acknowledged`;
      const offsets = await within(SEND_TIMEOUT_MS, what, this.#send(partition, batch));
      if (offsets.length !== batch.length)
        throw new Error(`${offsets.length} offsets for ${batch.length} rows`);
      for (const row of batch) this.inFlight.delete(row.id);
      this.#options.journal.append(
        this.topic,
        partition,
        batch.map((row, index) => ({ row, offset: offsets[index] as number })),
      );
      at += batch.length;
    }
  }
}
