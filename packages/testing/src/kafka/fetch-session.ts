import type { FetchResponse } from "@karst/kafka-protocol";
import type { PartitionModel } from "./topic-model.ts";

export type FetchedPartition = FetchResponse["responses"][number]["partitions"][number];

const EPOCH_MAX = 0x7fff_ffff;
const NONE = { id: 0, epoch: 0 };

/** A partition that a client wants, from an offset. */
export interface Wanted {
  readonly partition: PartitionModel;
  readonly position: number;
}

/** What a request has to say, in its order. */
export interface SessionAsk {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly wanted: readonly Wanted[];
  readonly forgotten: readonly PartitionModel[];
}

/**
 * The client's side of a fetch session: it says what has changed since the last request that was answered, and takes what is left out of an
 * answer for what it was told before.
 *
 * Invariant: `#told` and `#sent` are as of the last answer that came; the broker may be one request further.
 */
export class FetchSession {
  readonly #byId: boolean;
  #id = NONE.id;
  #epoch = NONE.epoch;
  #sent = new Map<string, Wanted>();
  readonly #told = new Map<string, FetchedPartition>();
  #inDoubt = false;

  constructor(byId: boolean) {
    this.#byId = byId;
  }

  /** Whether the next request goes on with the session, in place of asking for everything. */
  get isIncremental(): boolean {
    return this.#epoch !== NONE.epoch;
  }

  /** Whether the last request was not answered, and nothing was begun anew. */
  get inDoubt(): boolean {
    return this.#inDoubt;
  }

  ask(wanted: readonly Wanted[]): SessionAsk {
    const header = { sessionId: this.#id, sessionEpoch: this.#epoch };
    if (!this.isIncremental) return { ...header, wanted, forgotten: [] };
    const keys = new Set(wanted.map(({ partition }) => this.#keyOf(partition)));
    return {
      ...header,
      wanted: wanted.filter(
        ({ partition, position }) => this.#sent.get(this.#keyOf(partition))?.position !== position,
      ),
      forgotten: [...this.#sent]
        .filter(([key]) => !keys.has(key))
        .map(([, { partition }]) => partition),
    };
  }

  /** The answer of each wanted partition: as it came, or as it was told before. @throws where neither is there. */
  answered(
    wanted: readonly Wanted[],
    sessionId: number,
    came: ReadonlyMap<PartitionModel, FetchedPartition>,
  ): readonly FetchedPartition[] {
    const incremental = this.isIncremental;
    if (incremental && sessionId !== this.#id)
      throw new Error(`session ${this.#id} is answered as ${sessionId}`);
    const all = wanted.map(({ partition }) => {
      const key = this.#keyOf(partition);
      const one = came.get(partition) ?? (incremental ? this.#told.get(key) : undefined);
      if (one === undefined) throw new Error(`a fetch answer lacks ${partition.name}`);
      if (one.errorCode !== 0 && !came.has(partition))
        throw new Error(`${partition.name} had error ${one.errorCode}, and is left out`);
      this.#told.set(key, { ...one, records: null });
      return one;
    });
    this.#sent = new Map(wanted.map((one) => [this.#keyOf(one.partition), one]));
    this.#inDoubt = false;
    this.#id = sessionId;
    this.#epoch =
      sessionId === NONE.id ? NONE.epoch : this.#epoch === EPOCH_MAX ? 1 : this.#epoch + 1;
    return all;
  }

  /** No answer came, and the request is made once more as if it had never been sent. */
  doubt(): void {
    this.#inDoubt = true;
  }

  /** The next request asks for everything, in place of this session. */
  beginAnew(): void {
    this.#epoch = NONE.epoch;
    this.#inDoubt = false;
  }

  #keyOf({ topic, index }: PartitionModel): string {
    return `${this.#byId ? topic.topicId : topic.name}/${index}`;
  }
}
