import type { SeededRandom } from "@karst/runtime/testing";
import { chance } from "../world/draw.ts";
import type { ClientConnection } from "./client-connection.ts";
import { LogReader, type ReadingOptions } from "./log-reader.ts";
import { Link, type Site } from "./site.ts";
import type { PartitionModel } from "./topic-model.ts";

/** Pauses between two polls at most. */
const IDLE_MAX = 6;

export interface ConsumerOptions extends ReadingOptions {
  readonly name: string;
  /** Whose partitions it reads, all of them. */
  readonly topics: readonly string[];
}

/** A client that reads every partition from its start to its end, and on. */
export class Consumer {
  readonly options: ConsumerOptions;
  readonly #site: Site;
  readonly #random: SeededRandom;
  readonly #link: Link;
  readonly #reader: LogReader;
  /** Polls in a row that brought nothing. */
  #idle = 0;
  #stopped = false;

  constructor(options: ConsumerOptions, site: Site, random: SeededRandom) {
    this.options = options;
    this.#site = site;
    this.#random = random;
    this.#link = new Link(site, random);
    this.#reader = new LogReader(options.name, options, site, random);
    this.#run().catch((error: unknown) => site.failed(error));
  }

  /** Whether it has read all that is known to be there. */
  get isAtEnd(): boolean {
    return this.#assigned().every(
      (partition) => (this.#reader.position(partition) ?? -1) >= partition.highWatermark,
    );
  }

  get connection(): ClientConnection | undefined {
    return this.#link.current;
  }

  stop(): void {
    this.#stopped = true;
    this.#link.current?.close();
  }

  #assigned(): PartitionModel[] {
    return this.options.topics.flatMap((name) => this.#site.topic(name)?.partitions ?? []);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const connection = await this.#link.connected();
      const assigned = this.#assigned();
      if (assigned.length === 0) {
        await this.#link.pause();
        continue;
      }
      const lost = assigned.filter((partition) => this.#reader.position(partition) === undefined);
      const went =
        lost.length > 0
          ? await this.#reader.reset(connection, lost)
          : await this.#reader.poll(connection, assigned);
      this.#idle = went ? 0 : Math.min(this.#idle + 1, IDLE_MAX);
      for (let i = 0; i < this.#idle; i += 1) await this.#link.pause();
      if (chance(this.#random, 3) && this.#site.topic(this.options.topics[0] ?? "") !== undefined)
        await this.#reader.askLatest(connection, assigned);
      this.#link.leaveSometimes(1);
    }
  }
}
