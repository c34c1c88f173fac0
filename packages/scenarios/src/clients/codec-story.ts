import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { batchCodecs } from "./batch-codecs.ts";
import type { Client, Launch } from "./client.ts";
import { CODECS, type CodecName, type ReadRecord } from "./events.ts";
import { Happenings } from "./happenings.ts";
import { Member, placeName } from "./member.ts";
import { compare, produce } from "./produce.ts";
import { compressible } from "./sample.ts";

const PER_WRITER = 20;
const READ_TIMEOUT_MS = 60_000;

export interface ReadyClient {
  readonly client: Client;
  readonly launch: Launch;
}

export interface CodecStoryOptions {
  readonly clients: readonly ReadyClient[];
  readonly bootstrap: string;
  /** Begins the names of its topics and groups. */
  readonly name: string;
}

/** What came of one client, as a writer and as a reader of everything that its codecs open. */
export interface CodecStoryRow {
  readonly client: string;
  readonly wrote: readonly CodecName[];
  /** Read of every writer. */
  readonly opened: readonly CodecName[];
  /** Records of all writers. */
  readonly read: number;
  readonly failures: readonly string[];
}

interface Written {
  readonly by: Client;
  readonly record: ReadRecord;
}

/**
 * Every client writes with each of its codecs, and reads what all of them wrote with those it opens: a topic for each codec, a partition for each writer.
 * What is stored must have the codec that was asked for. What one client does wrong is in its row, and nobody else's.
 */
export async function codecStory(options: CodecStoryOptions): Promise<readonly CodecStoryRow[]> {
  const { clients, bootstrap, name } = options;
  await createTopics(options);
  const written = new Map<CodecName, Written[]>(CODECS.map((codec) => [codec, []]));
  const failures = new Map<string, string[]>(clients.map(({ client }) => [client.name, []]));
  const failuresOf = ({ name: whose }: Client): string[] => failures.get(whose) as string[];
  const wrote = new Map<string, CodecName[]>();
  for (const [partition, ready] of clients.entries()) {
    const { client } = ready;
    const done: CodecName[] = [];
    wrote.set(client.name, done);
    for (const codec of client.codecs) {
      try {
        for (const record of await write(ready, codec, { bootstrap, name, partition }))
          written.get(codec)?.push({ by: client, record });
        done.push(codec);
      } catch (error) {
        failuresOf(client).push(`writing ${codec}: ${(error as Error).message}`);
      }
    }
  }
  const rows: CodecStoryRow[] = [];
  for (const ready of clients) {
    const { client } = ready;
    const opened = opensOf(client);
    const row = { client: client.name, wrote: wrote.get(client.name) ?? [], opened };
    let read = 0;
    try {
      read = await readAll(ready, written, { bootstrap, name });
    } catch (error) {
      failuresOf(client).push(`reading: ${(error as Error).message}`);
    }
    rows.push({ ...row, read, failures: failuresOf(client) });
  }
  return rows;
}

async function createTopics({ clients, bootstrap, name }: CodecStoryOptions): Promise<void> {
  const admin = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({
    topics: CODECS.map((codec) => ({
      topic: topicOf(name, codec),
      numPartitions: clients.length,
      replicationFactor: 1,
    })),
  });
  await admin.disconnect();
}

function topicOf(name: string, codec: CodecName): string {
  return `${name}-${codec}`;
}

async function write(
  { client, launch }: ReadyClient,
  codec: CodecName,
  to: { readonly bootstrap: string; readonly name: string; readonly partition: number },
): Promise<readonly ReadRecord[]> {
  const topic = topicOf(to.name, codec);
  const records = compressible({
    client,
    partition: to.partition,
    count: PER_WRITER,
    timestamp: Date.now(),
  });
  const { bootstrap } = to;
  const order = { client, launch, bootstrap, topic, codec, idempotent: false, records };
  const sent = await produce(order);
  for (const stored of await batchCodecs(bootstrap, topic, to.partition))
    assert.equal(stored, codec, `codec of what ${client.name} has written`);
  return sent;
}

/** @returns how many records it has found, all of them as they were sent. */
async function readAll(
  { client, launch }: ReadyClient,
  written: ReadonlyMap<CodecName, readonly Written[]>,
  from: { readonly bootstrap: string; readonly name: string },
): Promise<number> {
  const opens = opensOf(client);
  const found = new Map<string, ReadRecord>();
  const happenings = new Happenings();
  const member = new Member({
    name: "the reader",
    client,
    launch,
    bootstrap: from.bootstrap,
    topics: opens.map((codec) => topicOf(from.name, codec)),
    group: `${from.name}-${client.name.replaceAll(/\W/g, "-")}`,
    assignor: client.assignors[0] ?? "range",
    commit: "asked",
    onRecord: (_, record) => found.set(nameOf(record), record),
    happenings,
  });
  const expected = opens.flatMap((codec) => written.get(codec) ?? []);
  try {
    const missing = (): readonly Written[] =>
      expected.filter(({ record }) => !found.has(nameOf(record)));
    await happenings.until(
      () => {
        member.check();
        return missing().length === 0;
      },
      () => {
        const first = missing().map(({ by, record }) => `${nameOf(record)} of ${by.name}`)[0];
        return `${found.size} of ${expected.length} records are read, without ${first}`;
      },
      READ_TIMEOUT_MS,
    );
    for (const { by, record } of expected)
      compare(by, record, found.get(nameOf(record)) as ReadRecord);
    await member.leave();
    return found.size;
  } finally {
    await member.kill();
  }
}

function opensOf(client: Client): readonly CodecName[] {
  return client.opens ?? client.codecs;
}

function nameOf({ topic, partition, offset }: ReadRecord): string {
  return `${placeName(topic, partition)}@${offset}`;
}
