import assert from "node:assert/strict";
import { type Admin, Kafka, logLevel } from "kafkajs";
import type { Client, Launch } from "./client.ts";
import type { CodecName, ReadRecord } from "./events.ts";
import { Happenings } from "./happenings.ts";
import { Member, placeName } from "./member.ts";
import { compare, produce } from "./produce.ts";
import { sample } from "./sample.ts";

export const PARTITIONS = 4;
const PER_PARTITION = 12;
/** A rebalance after a kill takes the session timeout; a JVM on a busy machine takes its time. */
const SETTLE_TIMEOUT_MS = 45_000;
const READ_TIMEOUT_MS = 30_000;

export interface GroupStoryOptions {
  readonly client: Client;
  readonly launch: Launch;
  readonly assignor: string;
  readonly bootstrap: string;
  /** Makes the names of its topic and its group. */
  readonly name: string;
}

export interface GroupStoryResult {
  readonly produced: number;
  /** Every record read, again or not. */
  readonly read: number;
  /** Records read a second time: only of members that had committed nothing. */
  readonly readAgain: number;
  readonly rebalances: number;
  readonly commitsCompared: number;
}

/**
 * What a group goes through, with members of one client:
 *
 * 1. a first member reads what was written before it came, and commits;
 * 2. a second joins; both read, both commit;
 * 3. the second leaves; the first goes on alone;
 * 4. another joins, reads without committing, and is killed: the first reads those records again, from the committed offsets;
 * 5. all leave; a member reads on without committing and leaves; the last one begins at the committed offsets too.
 *
 * After each change the members' partitions are disjoint and cover the topic; a partition is read from its committed offset on, in
 * order; every record is read at least once, and never again once it is committed; it is read as it was sent.
 *
 * @throws AssertionError, or Error that names what did not happen.
 */
export async function groupStory(options: GroupStoryOptions): Promise<GroupStoryResult> {
  const group = new Group(options);
  try {
    await group.create();
    await group.write("none", false);
    const first = await group.join("the first member");
    await group.readAll();
    await group.commit(first);

    const second = await group.join("the second member");
    await group.write("none", true);
    await group.readAll();
    await group.commit(first, second);

    await group.leave(second);
    await group.write("gzip", true);
    await group.readAll();
    await group.commit(first);

    const killed = await group.join("the member that is killed", "never");
    await group.write("none", true);
    await group.readAll();
    await group.commit(first, killed);
    await group.kill(killed);
    await group.readAll();
    await group.commit(first);

    await group.leave(first);
    await group.write("none", false);
    const fourth = await group.join("the member that commits nothing", "never");
    await group.readAll();
    if (options.client.lacks?.uncommittedLeave === true) await group.kill(fourth);
    else await group.leave(fourth);
    const last = await group.join("the last member");
    await group.readAll();
    await group.commit(last);
    group.checkCommits();
    await group.leave(last);
    return group.result;
  } finally {
    await group.end();
  }
}

interface Reading {
  readonly member: Member;
  readonly record: ReadRecord;
}

/** Owns the members, and the book of what was sent, read and committed. */
class Group {
  readonly #options: GroupStoryOptions;
  readonly #topic: string;
  readonly #places: readonly string[];
  readonly #happenings: Happenings = new Happenings();
  readonly #admin: Admin;
  readonly #members = new Set<Member>();
  readonly #sent: ReadRecord[] = [];
  /** By place and offset. What a member has read and not committed goes with it. */
  readonly #read = new Map<string, Reading>();
  readonly #everRead = new Set<string>();
  readonly #committed = new Map<string, number>();
  readonly #counts = { read: 0, readAgain: 0, rebalances: 0, commitsCompared: 0 };
  #writes = 0;

  constructor(options: GroupStoryOptions) {
    this.#options = options;
    this.#topic = options.name;
    this.#places = Array.from({ length: PARTITIONS }, (_, each) => placeName(this.#topic, each));
    const kafka = new Kafka({ brokers: [options.bootstrap], logLevel: logLevel.NOTHING });
    this.#admin = kafka.admin();
  }

  get result(): GroupStoryResult {
    return { produced: this.#sent.length, ...this.#counts };
  }

  async create(): Promise<void> {
    await this.#admin.connect();
    await this.#admin.createTopics({
      topics: [{ topic: this.#topic, numPartitions: PARTITIONS, replicationFactor: 1 }],
    });
  }

  async write(codec: CodecName, idempotent: boolean): Promise<void> {
    const { client, launch, bootstrap } = this.#options;
    const records = sample({
      client,
      partitions: this.#places.map((_, partition) => partition),
      perPartition: PER_PARTITION,
      timestamp: Date.now(),
      from: this.#writes * PER_PARTITION,
    });
    this.#writes += 1;
    const topic = this.#topic;
    const order = { client, launch, bootstrap, topic, codec, idempotent, records };
    for (const record of await produce(order)) this.#sent.push(record);
    // A reader may have been faster than the acknowledgements.
    this.#happenings.happened();
  }

  async join(name: string, commit: "asked" | "never" = "asked"): Promise<Member> {
    const { client, launch, bootstrap, assignor } = this.#options;
    const member = new Member({
      name,
      client,
      launch,
      bootstrap,
      assignor,
      commit,
      topics: [this.#topic],
      group: this.#topic,
      happenings: this.#happenings,
      onRecord: (reader, record) => this.#take(reader, record),
    });
    this.#members.add(member);
    await this.#settle(`once ${name} has joined`);
    return member;
  }

  async leave(member: Member): Promise<void> {
    await member.leave();
    await this.#gone(member, "has left");
  }

  async kill(member: Member): Promise<void> {
    await member.kill();
    await this.#gone(member, "was killed");
  }

  /** Resolves when every record that was sent has been read, as it was sent, by a member that is there or has committed it. */
  async readAll(): Promise<void> {
    const missing = (): number =>
      this.#sent.filter((record) => !this.#read.has(recordName(record))).length;
    await this.#until(
      () => missing() === 0,
      () => `${missing()} of ${this.#sent.length} records are read`,
      READ_TIMEOUT_MS,
    );
    for (const sent of this.#sent) {
      const reading = this.#read.get(recordName(sent));
      if (reading !== undefined) compare(this.#options.client, sent, reading.record);
    }
  }

  /** Has them commit what they have read; the broker must then say the same. */
  async commit(...members: readonly Member[]): Promise<void> {
    await Promise.all(members.map((member) => member.commit()));
    for (const member of members) {
      if (!member.commits) continue;
      for (const [place, offset] of member.positions) this.#committed.set(place, offset);
    }
    await this.#compareCommits();
  }

  /** Everything that was sent is committed. */
  checkCommits(): void {
    const end = this.#writes * PER_PARTITION;
    for (const place of this.#places)
      assert.equal(this.#committed.get(place), end, `what is committed of ${place}`);
  }

  async end(): Promise<void> {
    for (const member of this.#members) await member.kill();
    await this.#admin.disconnect().catch(() => undefined);
  }

  #take(reader: Member, record: ReadRecord): void {
    const place = placeName(record.topic, record.partition);
    const where = `${reader.name} reads ${recordName(record)}`;
    const committed = this.#committed.get(place) ?? 0;
    if (reader.fresh.has(place)) assert.equal(record.offset, committed, `${where} first`);
    assert.ok(record.offset >= committed, `${where}, committed is ${committed}`);
    const name = recordName(record);
    this.#counts.read += 1;
    if (this.#everRead.has(name)) this.#counts.readAgain += 1;
    this.#everRead.add(name);
    this.#read.set(name, { member: reader, record });
  }

  /** What it has read and not committed has to be read again, by somebody else. */
  async #gone(member: Member, how: string): Promise<void> {
    this.#members.delete(member);
    for (const [name, reading] of this.#read) {
      const { topic, partition, offset } = reading.record;
      const committed = this.#committed.get(placeName(topic, partition)) ?? 0;
      if (reading.member === member && offset >= committed) this.#read.delete(name);
    }
    await this.#settle(`once ${member.name} ${how}`);
    await this.#compareCommits();
  }

  /** Resolves when the members' partitions are disjoint and cover the topic, each having some. */
  async #settle(when: string): Promise<void> {
    const members = [...this.#members];
    if (members.length === 0) return;
    const before = members.map(({ assignments }) => assignments);
    await this.#until(
      () => {
        const owned = members.flatMap((member) => [...member.owned]);
        return (
          members.every((member) => member.owned.size > 0) &&
          owned.length === this.#places.length &&
          this.#places.every((place) => owned.includes(place))
        );
      },
      () => {
        const owned = members.map((member) => `${member.name}: ${[...member.owned].join(" ")}`);
        return `${when}, partitions are divided (${owned.join("; ")})`;
      },
      SETTLE_TIMEOUT_MS,
    );
    for (const [at, member] of members.entries())
      this.#counts.rebalances += member.assignments - (before[at] ?? 0);
  }

  async #compareCommits(): Promise<void> {
    const topics = [this.#topic];
    const [found] = await this.#admin.fetchOffsets({ groupId: this.#topic, topics });
    for (const [partition, place] of this.#places.entries()) {
      const said = found?.partitions.find((each) => each.partition === partition)?.offset;
      const expected = this.#committed.get(place);
      assert.equal(said, String(expected ?? -1), `committed offset of ${place}`);
      this.#counts.commitsCompared += 1;
    }
  }

  #until(condition: () => boolean, what: () => string, timeoutMs: number): Promise<void> {
    return this.#happenings.until(
      () => {
        for (const member of this.#members) member.check();
        return condition();
      },
      what,
      timeoutMs,
    );
  }
}

function recordName({ topic, partition, offset }: ReadRecord): string {
  return `${placeName(topic, partition)}@${offset}`;
}
