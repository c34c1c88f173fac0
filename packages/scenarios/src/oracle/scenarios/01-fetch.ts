import { fetchApi, type FetchRequestInput, type FetchResponse } from "@karst/kafka-protocol";
import type { Both, Pair, Side } from "../pair.ts";
import { append, batch } from "../records.ts";
import { type Run, type Scenario, since } from "../scenario.ts";

const STRANGE_ID = "0123456789abcdef0123456789abcdef";
const FIRST_VERSION_WITH_SESSIONS = 7;
const FIRST_VERSION_WITH_TOPIC_IDS = 13;
const FIRST_VERSION_WITHOUT_REPLICA_ID = 15;

interface Wanted {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly bytesMax?: number;
  /** Counted from that of a new partition. */
  readonly epoch?: number;
  readonly lastEpoch?: number;
}

interface Options {
  readonly waitMs?: number;
  readonly bytesMin?: number;
  readonly bytesMax?: number;
  readonly isolation?: number;
  readonly session?: { readonly id: Both<number>; readonly epoch: number };
  readonly forgotten?: readonly {
    readonly topic: string;
    readonly partitions: readonly number[];
  }[];
  readonly pair?: Pair;
  readonly replicaId?: number;
}

export const fetch: Scenario = {
  apiKey: 1,
  run: async (run) => {
    const topic = await run.topic({ partitions: 4 });
    const other = await run.topic();
    // Partition 0: batches of one, three and two records; 1: one large batch; 2: many small ones; 3: nothing.
    for (const delays of [[0], [1, 2, 3], [4, 5]]) await append(run, topic, 0, batch(delays));
    await append(run, topic, 1, batch(Array.from({ length: 100 }, (_, i) => i)));
    for (let i = 0; i < 10; i += 1) await append(run, topic, 2, batch([i]));
    await append(run, other, 0, batch([0, 1], { codec: "gzip" }));
    for (const version of run.versions) {
      await offsets(run, version, topic);
      await several(run, version, topic, other);
      await problems(run, version, topic);
      await waiting(run, version);
      if (version >= FIRST_VERSION_WITH_SESSIONS) await sessions(run, version);
    }
    await run.fill(async (version) => {
      const wanted = Array.from({ length: run.random.integer(1, 4) }, (_, partition) => ({
        topic,
        partition,
        offset: run.random.integer(-1, 12),
      }));
      await ask(run, version, "generated", wanted, { isolation: run.random.integer(0, 1) });
    });
  },
};

async function offsets(run: Run, version: number, topic: string): Promise<void> {
  for (const offset of [0, 1, 2, 3, 4, 5, 6, 7, -1, -5, 1_000_000])
    await ask(run, version, `offset ${offset}`, [{ topic, partition: 0, offset }]);
  for (const isolation of [0, 1])
    await ask(run, version, `isolation ${isolation}`, [{ topic, partition: 0, offset: 0 }], {
      isolation,
    });
  for (const bytesMax of [0, 1, 50, 100, 200, 300]) {
    await ask(run, version, `partition bytes ${bytesMax}`, [
      { topic, partition: 2, offset: 0, bytesMax },
    ]);
    await ask(run, version, `bytes ${bytesMax}`, [{ topic, partition: 2, offset: 0 }], {
      bytesMax,
    });
    const large = [{ topic, partition: 1, offset: 50, bytesMax }];
    await ask(run, version, `partition bytes ${bytesMax} of a large batch`, large);
  }
}

async function several(run: Run, version: number, topic: string, other: string): Promise<void> {
  const all = [0, 1, 2, 3].map((partition) => ({ topic, partition, offset: 0 }));
  await ask(run, version, "nothing", []);
  await ask(run, version, "a topic", all);
  await ask(run, version, "two topics", [...all, { topic: other, partition: 0, offset: 0 }]);
  await ask(run, version, "gzip", [{ topic: other, partition: 0, offset: 1 }]);
  await ask(run, version, "an empty partition", [{ topic, partition: 3, offset: 0 }]);
  await ask(run, version, "good and out of range", [
    all[0] as Wanted,
    { topic, partition: 1, offset: 500 },
  ]);
}

async function problems(run: Run, version: number, topic: string): Promise<void> {
  const at = (partition: number, offset = 0): Wanted => ({ topic, partition, offset });
  await ask(run, version, "unknown partition", [at(4), at(-1), at(0)]);
  await ask(run, version, "unknown topic", [{ ...at(0), topic: "missing" }]);
  await ask(run, version, "good and unknown topic", [at(0), { ...at(0), topic: "missing" }]);
  for (const epoch of [0, 1, -2]) await ask(run, version, `epoch ${epoch}`, [{ ...at(0), epoch }]);
  if (version >= 12) {
    for (const lastEpoch of [0, 1])
      await ask(run, version, `last epoch ${lastEpoch}`, [{ ...at(0, 3), epoch: 0, lastEpoch }]);
  }
  await ask(run, version, "isolation 2", [at(0)], { isolation: 2 });
  await ask(run, version, "negative bytes", [at(0)], { bytesMax: -1 });
  await ask(run, version, "negative partition bytes", [{ ...at(0), bytesMax: -1 }]);
  await ask(run, version, "negative wait", [at(3)], { waitMs: -1 });
  await ask(run, version, "debugging replica", [at(0)], { replicaId: -2 });
}

/** Requests whose bytes are not there yet. */
async function waiting(run: Run, version: number): Promise<void> {
  const topic = await run.topic();
  const wanted = [{ topic, partition: 0, offset: 0 }];
  await ask(run, version, "waits in vain", wanted, { waitMs: 40, bytesMin: 1 });
  const second = run.pair.another();
  const woken = ask(run, version, "woken by an append", wanted, {
    waitMs: 3_000,
    bytesMin: 1,
    pair: second,
  });
  await append(run, topic, 0, batch([0]));
  await woken;
  second.close();
  await ask(run, version, "too few bytes", wanted, { waitMs: 40, bytesMin: 1_000 });
  await ask(
    run,
    version,
    "too few bytes, out of range",
    [{ ...(wanted[0] as Wanted), offset: 9 }],
    {
      waitMs: 3_000,
      bytesMin: 1_000,
    },
  );
}

async function sessions(run: Run, version: number): Promise<void> {
  const topic = await run.topic({ partitions: 2 });
  await append(run, topic, 0, batch([0]));
  const none = { kafka: 0, karst: 0 };
  const strange = { kafka: 12_345, karst: 12_345 };
  const both = [0, 1].map((partition) => ({ topic, partition, offset: 0 }));
  const name = (text: string): string => `session: ${text}`;
  const made = await ask(run, version, name("new"), both, { session: { id: none, epoch: 0 } });
  const id = { kafka: made.kafka?.sessionId ?? 0, karst: made.karst?.sessionId ?? 0 };
  const moved = [{ topic, partition: 0, offset: 1 }];
  await ask(run, version, name("moved on"), moved, { session: { id, epoch: 1 } });
  await ask(run, version, name("nothing new"), [], { session: { id, epoch: 2 } });
  await append(run, topic, 1, batch([0, 1]));
  await ask(run, version, name("something new"), [], { session: { id, epoch: 3 } });
  const forgotten = [{ topic, partitions: [0] }];
  await ask(run, version, name("forgets one"), [], { session: { id, epoch: 4 }, forgotten });
  await ask(run, version, name("old epoch"), [], { session: { id, epoch: 4 } });
  await ask(run, version, name("epoch too new"), [], { session: { id, epoch: 9 } });
  const missing = [{ topic, partition: 7, offset: 0 }];
  await ask(run, version, name("unknown partition"), missing, { session: { id, epoch: 5 } });
  await ask(run, version, name("unknown partition, again"), [], { session: { id, epoch: 6 } });
  await ask(run, version, name("closed"), both, { session: { id, epoch: -1 } });
  await ask(run, version, name("after its end"), [], { session: { id, epoch: 7 } });
  await ask(run, version, name("unknown id"), both, { session: { id: strange, epoch: 1 } });
  await ask(run, version, name("unknown id, to close"), both, {
    session: { id: strange, epoch: -1 },
  });
  await ask(run, version, name("unknown id, new"), both, { session: { id: strange, epoch: 0 } });
  await ask(run, version, name("no id, epoch 1"), both, { session: { id: none, epoch: 1 } });
  await ask(run, version, name("new, nothing wanted"), [], { session: { id: none, epoch: 0 } });
}

async function ask(
  run: Run,
  version: number,
  name: string,
  wanted: readonly Wanted[],
  options: Options = {},
): Promise<Both<FetchResponse | undefined>> {
  const names = [...new Set(wanted.map(({ topic }) => topic))];
  const replicaId = options.replicaId ?? -1;
  const { session } = options;
  return (options.pair ?? run.pair).call(name, fetchApi, version, (at): FetchRequestInput => ({
    ...(version < FIRST_VERSION_WITHOUT_REPLICA_ID
      ? { replicaId }
      : { replicaState: { replicaId, replicaEpoch: -1 } }),
    maxWaitMs: options.waitMs ?? 0,
    minBytes: options.bytesMin ?? 0,
    maxBytes: options.bytesMax ?? 10_000_000,
    isolationLevel: options.isolation ?? 0,
    ...since(version, FIRST_VERSION_WITH_SESSIONS, {
      sessionId: session === undefined ? 0 : at.pick(session.id),
      sessionEpoch: session?.epoch ?? -1,
      forgottenTopicsData: (options.forgotten ?? []).map(({ topic, partitions }) => ({
        ...topicOf(version, topic, at),
        partitions,
      })),
    }),
    topics: names.map((topic) => ({
      ...topicOf(version, topic, at),
      partitions: wanted
        .filter((each) => each.topic === topic)
        .map(({ partition, offset, bytesMax, epoch, lastEpoch }) => ({
          partition,
          fetchOffset: offset,
          partitionMaxBytes: bytesMax ?? 1_000_000,
          ...since(version, 9, {
            currentLeaderEpoch: epoch === undefined ? -1 : at.identities.epoch(epoch),
          }),
          ...since(version, 12, {
            lastFetchedEpoch: lastEpoch === undefined ? -1 : at.identities.epoch(lastEpoch),
          }),
        })),
    })),
  }));
}

function topicOf(
  version: number,
  topic: string,
  at: Side,
): { readonly topic?: string; readonly topicId?: string } {
  if (version < FIRST_VERSION_WITH_TOPIC_IDS) return { topic };
  return { topicId: topic.startsWith("oracle") ? at.identities.topicId(topic) : STRANGE_ID };
}
