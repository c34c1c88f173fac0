import { setTimeout as delay } from "node:timers/promises";
import type { Client, Launch } from "../clients/client.ts";
import { type CodecName, type CommitMode, type MemberEvent, textOf } from "../clients/events.ts";
import { MemberProcess, type MemberProcessOptions } from "../clients/member-process.ts";
import { sharedUs } from "../shared-clock.ts";
import type { GroupBook, MemberLife } from "./group-book.ts";

const SESSION_MS = 10_000;
const REBALANCE_MS = 20_000;
const HEARTBEAT_MS = 300;
const RESTART_MS = 200;
const RESTARTS_MAX = 100;

export interface GroupMemberOptions {
  readonly name: string;
  readonly client: Client;
  readonly launch: Launch;
  readonly bootstrap: string;
  readonly group: string;
  readonly topic: string;
  readonly book: GroupBook;
  readonly commit?: CommitMode;
  /** Where its process ends because the broker does, another one goes on. */
  readonly restart?: boolean;
  readonly how?: Pick<MemberProcessOptions, "gated" | "hangAfter" | "plugged">;
}

export interface GivenRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

/** A member of a group over one topic, and what it was given: one process after the other, each a life of the group's book. */
export class GroupMember {
  readonly name: string;
  readonly records: GivenRecord[] = [];
  /** Codecs of the batches that it decompressed. */
  readonly codecs: Set<CodecName> = new Set();
  /** It does nothing any more. */
  hangs = false;
  readonly #options: GroupMemberOptions;
  readonly #assigned = new Set<number>();
  #process: MemberProcess;
  #life: MemberLife;
  #instances = 0;
  #isWanted = true;

  constructor(options: GroupMemberOptions) {
    this.name = options.name;
    this.#options = options;
    [this.#life, this.#process] = this.#start();
  }

  /** Of its newest process. */
  get life(): MemberLife {
    return this.#life;
  }

  /** Partitions that it has. */
  get assigned(): readonly number[] {
    return [...this.#assigned];
  }

  get hasEnded(): boolean {
    return this.#process.hasEnded;
  }

  /** It takes records from now on. */
  go(): void {
    this.#process.go();
  }

  /** @throws Error with what it said, where it has failed. */
  check(): void {
    if (this.#options.restart !== true || this.#instances > RESTARTS_MAX) this.#process.check();
  }

  /** Commits, and leaves the group. */
  async leave(): Promise<void> {
    this.#isWanted = false;
    try {
      await this.#process.leave();
    } catch (error) {
      // It may have ended with its broker, and none was started instead yet.
      if (this.#options.restart !== true) throw error;
      await this.#process.kill();
    }
  }

  /** Without a word. All that it said has been heard when this resolves. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    await this.#process.kill();
  }

  #start(): [MemberLife, MemberProcess] {
    const { client, launch, bootstrap, topic, group, book, commit = "often" } = this.#options;
    this.#instances += 1;
    const life = book.begin(`${this.name}.${this.#instances}`, sharedUs());
    this.#assigned.clear();
    const started = new MemberProcess({
      name: `${client.name} ${life.name}`,
      launch,
      bootstrap,
      topics: [topic],
      group,
      commit,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      heartbeatMs: HEARTBEAT_MS,
      ...this.#options.how,
      onEvent: (event, atUs) => this.#take(event, atUs),
    });
    if (this.#options.restart === true) started.onEnd(() => void this.#again());
    return [life, started];
  }

  async #again(): Promise<void> {
    await delay(RESTART_MS);
    if (this.#isWanted && this.#instances <= RESTARTS_MAX)
      [this.#life, this.#process] = this.#start();
  }

  #take(event: MemberEvent, atUs: number): void {
    switch (event.event) {
      case "assigned":
        for (const [, partition] of event.partitions) this.#assigned.add(partition);
        if (this.#options.client.lacks?.resumption !== true) this.#life.assigned(atUs);
        return;
      case "revoked":
        for (const [, partition] of event.partitions) this.#assigned.delete(partition);
        return;
      case "record": {
        const { partition, offset } = event;
        const record = { partition, offset, key: textOf(event.key), value: textOf(event.value) };
        this.#life.deliver(partition, offset, record.value, atUs);
        this.records.push(record);
        return;
      }
      case "committing":
        for (const { partition, offset } of event.positions)
          this.#life.committing(partition, offset, atUs);
        return;
      case "committed":
        for (const { partition, offset } of event.positions ?? [])
          this.#life.committed(partition, offset, atUs);
        return;
      case "opened":
        this.codecs.add(event.codec);
        return;
      case "hangs":
        this.hangs = true;
        return;
      case "confirmed":
      case "left":
        return;
    }
  }
}
