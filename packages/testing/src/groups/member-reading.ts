import type { SeededRandom } from "@karst/runtime/testing";
import type { ClientConnection } from "../kafka/client-connection.ts";
import { LogReader, type ReadingOptions } from "../kafka/log-reader.ts";
import { Link } from "../kafka/site.ts";
import type { PartitionModel } from "../kafka/topic-model.ts";
import type { Dialect } from "./dialect.ts";
import { fetchCommitted } from "./fetching.ts";
import type { GroupSite } from "./group-site.ts";
import type { CommitDraft } from "./offset-book.ts";

/** Pauses between two polls at most. */
const IDLE_MAX = 4;

/** What a member was given, from one assignment to the next. */
interface Tenure {
  readonly partitions: readonly PartitionModel[];
  /** Of which it has asked what is committed. */
  readonly asked: Set<PartitionModel>;
}

/**
 * How a member reads what it is assigned: from what its group has committed, else from the start. It has a connection of its own, as
 * real clients do: a fetch that waits would hold up heartbeats.
 *
 * Invariant: the reader's positions are those of the `#begun` tenure; of an earlier one nothing is delivered or committed any more.
 */
export class MemberReading {
  readonly #groupId: string;
  readonly #dialect: Dialect;
  readonly #site: GroupSite;
  readonly #link: Link;
  readonly #reader: LogReader;
  readonly #awake: () => Promise<void>;
  #tenure: Tenure | undefined;
  #begun: Tenure | undefined;
  /** Where it was when it lost what it had. */
  #earlier: readonly CommitDraft[] = [];
  /** Something was read that is not committed. */
  #hasNews = false;
  #stopped = false;

  /** @param awake resolves when the process does not sleep. */
  constructor(
    options: {
      readonly name: string;
      readonly groupId: string;
      readonly dialect: Dialect;
      readonly reading: ReadingOptions;
    },
    site: GroupSite,
    random: SeededRandom,
    awake: () => Promise<void>,
  ) {
    this.#groupId = options.groupId;
    this.#dialect = options.dialect;
    this.#site = site;
    this.#link = new Link(site, random);
    this.#reader = new LogReader(options.name, options.reading, site, random);
    this.#awake = awake;
    this.#run().catch((error: unknown) => site.failed(error));
  }

  get partitions(): readonly PartitionModel[] {
    return this.#tenure?.partitions ?? [];
  }

  /** How far it has come: what it would commit. */
  get places(): readonly CommitDraft[] {
    if (this.#tenure === undefined || this.#tenure !== this.#begun) return [];
    return this.#live.flatMap((partition) => {
      const offset = this.#reader.position(partition);
      return offset === undefined ? [] : [{ partition, offset }];
    });
  }

  /** Whether it has read on since it was last told that it is committed. */
  get hasNews(): boolean {
    return this.#hasNews;
  }

  committed(): void {
    this.#hasNews = false;
  }

  /** One place of those that it had before it lost them: what a hasty client would commit. */
  get earlierPlaces(): readonly CommitDraft[] {
    return this.#earlier.filter(({ partition }) => partition.topic.isLive).slice(0, 1);
  }

  get isAtEnd(): boolean {
    return this.partitions.every(
      (partition) => (this.#reader.position(partition) ?? -1) >= partition.highWatermark,
    );
  }

  assigned(partitions: readonly PartitionModel[]): void {
    this.#tenure = { partitions, asked: new Set() };
  }

  revoked(): void {
    if (this.#tenure === undefined) return;
    this.#earlier = this.places;
    this.#tenure = undefined;
  }

  stop(): void {
    this.revoked();
    this.#stopped = true;
    this.#link.current?.close();
  }

  get #live(): readonly PartitionModel[] {
    return this.partitions.filter(({ topic }) => topic.isLive);
  }

  async #run(): Promise<void> {
    for (let idle = 0; !this.#stopped;) {
      await this.#awake();
      if (this.#tenure !== this.#begun) {
        this.#reader.forget();
        this.#begun = this.#tenure;
      }
      const went = this.#live.length > 0 && (await this.#goOn(await this.#link.connected()));
      idle = went ? 0 : Math.min(idle + 1, IDLE_MAX);
      for (let i = 0; i < idle; i += 1) await this.#link.pause();
      this.#link.leaveSometimes(1);
    }
  }

  /** Reads on, or finds out from where. @returns false: nothing came of it. */
  async #goOn(connection: ClientConnection): Promise<boolean> {
    const tenure = this.#tenure;
    if (tenure === undefined || tenure !== this.#begun) return true;
    const live = this.#live;
    if (live.length === 0) return false;
    const lost = live.filter((partition) => this.#reader.position(partition) === undefined);
    const unasked = lost.filter((partition) => !tenure.asked.has(partition));
    if (unasked.length > 0) return await this.#begin(connection, tenure, unasked);
    if (lost.length > 0) return await this.#reader.reset(connection, lost);
    const before = new Map(live.map((one) => [one, this.#reader.position(one) ?? 0]));
    const went = await this.#reader.poll(connection, live);
    if (tenure !== this.#tenure) return true;
    const { offsets } = this.#site.group(this.#groupId);
    for (const [partition, from] of before) {
      const to = this.#reader.position(partition) ?? from;
      offsets.delivered(partition, from, to);
      if (to > from) this.#hasNews = true;
    }
    return went;
  }

  /** Begins where the group has committed. */
  async #begin(
    connection: ClientConnection,
    tenure: Tenure,
    partitions: readonly PartitionModel[],
  ): Promise<boolean> {
    const { sometimes } = this.#site.world;
    const found = await fetchCommitted(
      this.#site,
      connection,
      this.#dialect,
      this.#groupId,
      partitions,
    );
    if (found === undefined) return false;
    if (tenure !== this.#tenure) return true;
    for (const [partition, committed] of found) {
      tenure.asked.add(partition);
      sometimes.add(committed === undefined ? "began-at-the-start" : "began-at-a-commit");
      if (committed === undefined) continue;
      this.#site.group(this.#groupId).offsets.begun(partition, committed);
      this.#reader.begin(partition, committed.offset);
    }
    return true;
  }
}
