import { Connection, fetchV17, metadataV12, ResponseError } from "@platformatic/kafka";
import type { ReadRow } from "./verify.ts";
import { within } from "./within.ts";

const MAX_WAIT_MS = 200;
const READING_TIMEOUT_MS = 60_000;
const BYTES_MAX = 1_000_000;
/** Of no session, or of one that begins. */
const NONE = { id: 0, epoch: 0 };
/** Kafka's error 70: the broker has no such session. */
const SESSION_ID_NOT_FOUND = "FETCH_SESSION_ID_NOT_FOUND";

/**
 * Reads all partitions of a topic by its id, through one fetch session, with the protocol code of @platformatic/kafka (whose own consumer asks
 * for everything each time). It outlives any number of brokers at one address.
 */
export class SessionReader {
  readonly rows: ReadRow[] = [];
  /** Answers within a session, and partitions in them. */
  readonly incremental = { answers: 0, partitions: 0 };
  /** Sessions that a broker did not know. */
  lostSessions = 0;
  readonly #topic: string;
  readonly #connection = new Connection("session-reader");
  #topicId = "";
  /** Next offsets, by partition. */
  #next: number[] = [];
  #changed = new Set<number>();
  #session = NONE;

  constructor(topic: string) {
    this.#topic = topic;
  }

  async connect(address: string): Promise<void> {
    const [host = "", port] = address.split(":");
    await this.#connection.connect(host, Number(port));
    const metadata = await metadataV12.api.async(this.#connection, [this.#topic], false, false);
    const topic = metadata.topics[0];
    this.#topicId = topic?.topicId ?? "";
    const partitions = topic?.partitions.length ?? 0;
    this.#next = Array.from({ length: partitions }, (_, index) => this.#next[index] ?? 0);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Polls until it has so many rows. @throws Error where they do not come. */
  async readUntil(rows: number): Promise<void> {
    const untilMs = performance.now() + READING_TIMEOUT_MS;
    while (this.rows.length < rows && performance.now() < untilMs)
      await within(READING_TIMEOUT_MS, "a poll is answered", this.poll());
    if (this.rows.length < rows)
      throw new Error(`${this.rows.length} of ${rows} rows were read in time`);
  }

  async poll(): Promise<void> {
    const { id, epoch } = this.#session;
    const wanted = epoch === NONE.epoch ? [...this.#next.keys()] : [...this.#changed];
    const partitions = wanted.map((partition) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(this.#next[partition] ?? 0),
      lastFetchedEpoch: -1,
      partitionMaxBytes: BYTES_MAX,
    }));
    const topics = partitions.length === 0 ? [] : [{ topicId: this.#topicId, partitions }];
    try {
      const answer = await fetchV17.api.async(
        this.#connection,
        MAX_WAIT_MS,
        1,
        BYTES_MAX,
        0,
        id,
        epoch,
        topics,
        [],
        "",
      );
      this.#take(answer);
    } catch (error) {
      if (!(error instanceof ResponseError) || !error.findBy("apiId", SESSION_ID_NOT_FOUND))
        throw error;
      this.lostSessions += 1;
      this.#session = NONE;
    }
  }

  #take({ sessionId, responses }: fetchV17.FetchResponse): void {
    const fetched = responses.flatMap(({ partitions }) => partitions);
    if (this.#session.epoch !== NONE.epoch) {
      this.incremental.answers += 1;
      this.incremental.partitions += fetched.length;
    }
    this.#session = { id: sessionId, epoch: this.#session.epoch + 1 };
    this.#changed.clear();
    for (const { partitionIndex: partition, records = [] } of fetched) {
      for (const { firstOffset, records: inBatch } of records) {
        for (const { offsetDelta, key, value } of inBatch) {
          const offset = Number(firstOffset) + offsetDelta;
          // Of a batch that was asked for in its middle.
          if (offset < (this.#next[partition] ?? 0)) continue;
          const row = { id: Number(key?.toString()), value: value?.toString() ?? "" };
          this.rows.push({ topic: this.#topic, partition, offset, ...row });
          this.#next[partition] = offset + 1;
          this.#changed.add(partition);
        }
      }
    }
  }
}
