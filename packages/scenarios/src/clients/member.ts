import assert from "node:assert/strict";
import type { Client, Launch } from "./client.ts";
import type { MemberEvent, Place, ReadRecord } from "./events.ts";
import type { Happenings } from "./happenings.ts";
import { MemberProcess } from "./member-process.ts";

/** A member whose process is gone without a leave is noticed after so long. Kafka's least by default. */
export const SESSION_TIMEOUT_MS = 6_000;
const HEARTBEAT_MS = 500;
const ANSWER_TIMEOUT_MS = 30_000;

export interface MemberOptions {
  readonly name: string;
  readonly client: Client;
  readonly launch: Launch;
  readonly bootstrap: string;
  readonly topics: readonly string[];
  readonly group: string;
  readonly assignor: string;
  /** `never`: it reads and commits nothing, however often it is asked. */
  readonly commit: "asked" | "never";
  readonly onRecord: (member: Member, record: ReadRecord) => void;
  readonly happenings: Happenings;
}

export function placeName(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/**
 * One member of a group, in a process of its own.
 *
 * Invariants: a record is taken only from a partition that it has; the first one after an assignment is noted as such, and each
 * later one has the next offset.
 */
export class Member {
  readonly name: string;
  /** Partitions that it has. */
  readonly owned: Set<string> = new Set();
  /** Partitions assigned to it of which it has read nothing since. */
  readonly fresh: Set<string> = new Set();
  /** The offset after the last record that it has read of a partition since it has it. */
  readonly positions: Map<string, number> = new Map();
  /** How often it has been assigned anything, also nothing. */
  assignments = 0;
  readonly #options: MemberOptions;
  readonly #process: MemberProcess;
  #committed = 0;
  #violation: Error | undefined;

  constructor(options: MemberOptions) {
    this.name = options.name;
    this.#options = options;
    const { client, launch, bootstrap, topics, group, commit, assignor } = options;
    this.#process = new MemberProcess({
      name: `${client.name} ${options.name}`,
      launch,
      bootstrap,
      topics,
      group,
      commit,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      heartbeatMs: HEARTBEAT_MS,
      assignor,
      onEvent: (event) => this.#take(event),
    });
    this.#process.onEnd(() => options.happenings.happened());
  }

  /** Whether what it is asked to commit is committed. */
  get commits(): boolean {
    return this.#options.commit === "asked";
  }

  /** @throws Error once its driver has failed, or has broken an invariant. */
  check(): void {
    if (this.#violation !== undefined) throw this.#violation;
    this.#process.check();
  }

  /** Has it commit what it has read. */
  async commit(): Promise<void> {
    const before = this.#committed;
    this.#process.commit();
    await this.#options.happenings.until(
      () => {
        this.check();
        return this.#committed > before;
      },
      () => `${this.name} commits`,
      ANSWER_TIMEOUT_MS,
    );
  }

  async leave(): Promise<void> {
    await this.#process.leave();
    this.owned.clear();
  }

  async kill(): Promise<void> {
    await this.#process.kill();
    this.owned.clear();
  }

  #take(event: MemberEvent): void {
    try {
      this.#apply(event);
    } catch (error) {
      this.#violation ??= error as Error;
    }
    this.#options.happenings.happened();
  }

  #apply(event: MemberEvent): void {
    switch (event.event) {
      case "assigned":
        this.assignments += 1;
        for (const place of event.partitions.map(nameOf)) {
          assert.ok(!this.owned.has(place), `${this.name} was assigned ${place}, which it has`);
          this.owned.add(place);
          this.fresh.add(place);
        }
        break;
      case "revoked":
        for (const place of event.partitions.map(nameOf)) {
          this.owned.delete(place);
          this.fresh.delete(place);
          this.positions.delete(place);
        }
        break;
      case "record": {
        const { event: _, ...record } = event;
        this.#read(record);
        break;
      }
      case "committed":
        this.#committed += 1;
        break;
      case "committing":
      case "confirmed":
      case "opened":
      case "hangs":
      case "left":
        break;
    }
  }

  #read(record: ReadRecord): void {
    const place = placeName(record.topic, record.partition);
    assert.ok(this.owned.has(place), `${this.name} reads ${place}, which it has not`);
    if (!this.fresh.has(place))
      assert.equal(record.offset, this.positions.get(place), `${this.name} goes on in ${place}`);
    this.#options.onRecord(this, record);
    this.fresh.delete(place);
    this.positions.set(place, record.offset + 1);
  }
}

function nameOf([topic, partition]: Place): string {
  return placeName(topic, partition);
}
