import { createTopicsApi, type CreateTopicsRequestInput } from "@karst/kafka-protocol";
import type { Run, Scenario } from "../scenario.ts";

type WantedTopic = CreateTopicsRequestInput["topics"][number];
type Draft = Partial<WantedTopic> & { readonly name: string };

const BAD_NAMES = ["", ".", "..", "a b", "a/b", "é", "x".repeat(250), "a,b", "a:b", "a\nb"];

/** Configurations, good and bad, as a client would send them. */
const CONFIGS: readonly (readonly (readonly [string, string | null])[])[] = [
  [["retention.ms", "1000"]],
  [["retention.ms", "-1"]],
  [["retention.ms", "-2"]],
  [["retention.ms", "soon"]],
  [["retention.ms", "9223372036854775807"]],
  [["retention.ms", "9223372036854775808"]],
  [["retention.ms", ""]],
  [["retention.ms", null]],
  [["retention.ms", "1.5"]],
  [["retention.ms", " 1000 "]],
  [["retention.bytes", "-2"]],
  [["cleanup.policy", "compact"]],
  [["cleanup.policy", "compact,delete"]],
  [["cleanup.policy", "delete, compact"]],
  [["cleanup.policy", "Compact"]],
  [["cleanup.policy", "shred"]],
  [["cleanup.policy", ""]],
  [["cleanup.policy", "delete,delete"]],
  [["compression.type", "gzip"]],
  [["compression.type", "GZIP"]],
  [["compression.type", "rar"]],
  [["compression.type", "none"]],
  [["compression.gzip.level", "0"]],
  [["compression.gzip.level", "9"]],
  [["compression.gzip.level", "10"]],
  [["compression.lz4.level", "17"]],
  [["compression.lz4.level", "18"]],
  [["compression.zstd.level", "22"]],
  [["compression.zstd.level", "23"]],
  [["max.message.bytes", "0"]],
  [["max.message.bytes", "-1"]],
  [["max.message.bytes", "2147483647"]],
  [["max.message.bytes", "2147483648"]],
  [["message.timestamp.type", "LogAppendTime"]],
  [["message.timestamp.type", "logappendtime"]],
  [["message.timestamp.after.max.ms", "-1"]],
  [["min.insync.replicas", "0"]],
  [["min.insync.replicas", "2"]],
  [["min.cleanable.dirty.ratio", "1"]],
  [["min.cleanable.dirty.ratio", "1.1"]],
  [["min.cleanable.dirty.ratio", "half"]],
  [["segment.bytes", "1"]],
  [["segment.bytes", "1048576"]],
  [["segment.ms", "0"]],
  [["segment.index.bytes", "3"]],
  [["preallocate", "true"]],
  [["preallocate", "yes"]],
  [["preallocate", "TRUE"]],
  [["unclean.leader.election.enable", "maybe"]],
  [["flush.messages", "0"]],
  [["flush.ms", "-1"]],
  [["delete.retention.ms", "-1"]],
  [["index.interval.bytes", "-1"]],
  [["max.compaction.lag.ms", "0"]],
  [["min.compaction.lag.ms", "10"]],
  [
    ["min.compaction.lag.ms", "10"],
    ["max.compaction.lag.ms", "5"],
  ],
  [["local.retention.ms", "5"]],
  [["local.retention.bytes", "-3"]],
  [["remote.storage.enable", "true"]],
  [["leader.replication.throttled.replicas", "*"]],
  [["leader.replication.throttled.replicas", "0:1,1:1"]],
  [["leader.replication.throttled.replicas", "zero"]],
  [["no.such.config", "1"]],
  [["", "1"]],
  [["message.format.version", "2.0"]],
  [["message.downconversion.enable", "true"]],
  [
    ["retention.ms", "1000"],
    ["segment.bytes", "1048576"],
    ["cleanup.policy", "compact"],
  ],
  [
    ["retention.ms", "1000"],
    ["retention.ms", "2000"],
  ],
];

export const createTopics: Scenario = {
  apiKey: 19,
  run: async (run) => {
    for (const version of run.versions) {
      for (const validateOnly of [true, false]) await shapes(run, version, validateOnly);
      for (const entries of CONFIGS) {
        const named = entries.map(([name, value]) => `${name}=${value}`).join(" ");
        const configs = entries.map(([name, value]) => ({ name, value }));
        await create(run, version, `with ${named}`, [{ name: run.name(), configs }], true);
      }
    }
    await existing(run);
    await run.fill(async (version) => {
      const names = Array.from({ length: run.random.integer(0, 3) }, () =>
        run.random.fraction() < 0.5 ? run.name() : run.one(BAD_NAMES),
      );
      const topics = names.map((name) => ({ name, numPartitions: run.random.integer(-2, 3) }));
      await create(run, version, "generated", topics, run.random.fraction() < 0.5);
    });
  },
};

/** Names, counts and assignments. */
async function shapes(run: Run, version: number, validateOnly: boolean): Promise<void> {
  const how = validateOnly ? ", to validate" : "";
  const one = (name: string, draft: Draft): Promise<void> =>
    create(run, version, `${name}${how}`, [draft], validateOnly);
  await create(run, version, `no topics${how}`, [], validateOnly);
  for (const name of BAD_NAMES) await one(`bad name of ${name.length}`, { name });
  for (const numPartitions of [1, 3, -1, 0, -2, -2_147_483_648])
    await one(`${numPartitions} partitions`, { name: run.name(), numPartitions });
  for (const replicationFactor of [1, -1, 0, -2, 2, 3, 32_767])
    await one(`${replicationFactor} replicas`, { name: run.name(), replicationFactor });
  await one("0 partitions, 0 replicas", {
    name: run.name(),
    numPartitions: 0,
    replicationFactor: 0,
  });
  const twice = run.name();
  await create(run, version, `twice${how}`, [{ name: twice }, { name: twice }], validateOnly);
  await create(
    run,
    version,
    `three times${how}`,
    [{ name: twice }, { name: twice }, { name: twice }],
    validateOnly,
  );
  const mixed = [{ name: run.name() }, { name: "a b" }, { name: run.name(), numPartitions: 0 }];
  await create(run, version, `good and bad${how}`, mixed, validateOnly);
  for (const [name, replicas] of ASSIGNMENTS) {
    const assignments = replicas.map(([partitionIndex, brokerIds]) => ({
      partitionIndex,
      brokerIds,
    }));
    const counts = { numPartitions: -1, replicationFactor: -1 };
    await one(`assigned: ${name}`, { name: run.name(), ...counts, assignments });
  }
  const assignments = [{ partitionIndex: 0, brokerIds: [1] }];
  await one("assigned and counted", { name: run.name(), assignments });
  await one("assigned, partitions counted", {
    name: run.name(),
    replicationFactor: -1,
    assignments,
  });
  await one("assigned, replicas counted", { name: run.name(), numPartitions: -1, assignments });
}

const ASSIGNMENTS: readonly (readonly [
  string,
  readonly (readonly [number, readonly number[]])[],
])[] = [
  ["one", [[0, [1]]]],
  [
    "two",
    [
      [0, [1]],
      [1, [1]],
    ],
  ],
  [
    "two in another order",
    [
      [1, [1]],
      [0, [1]],
    ],
  ],
  ["not from 0", [[1, [1]]]],
  [
    "with a gap",
    [
      [0, [1]],
      [2, [1]],
    ],
  ],
  [
    "one twice",
    [
      [0, [1]],
      [0, [1]],
    ],
  ],
  ["negative", [[-1, [1]]]],
  ["to nobody", [[0, []]]],
  ["to a broker twice", [[0, [1, 1]]]],
  ["to an unknown broker", [[0, [7]]]],
  ["to an unknown one too", [[0, [1, 7]]]],
  ["to a negative broker", [[0, [-1]]]],
  [
    "of unequal length",
    [
      [0, [1]],
      [1, []],
    ],
  ],
];

/** Names that are taken, or look like one that is. */
async function existing(run: Run): Promise<void> {
  const stem = run.name("dots");
  const taken = await run.topic({ name: `${stem}.a.b` });
  for (const version of run.versions) {
    for (const validateOnly of [true, false]) {
      const how = validateOnly ? ", to validate" : "";
      const ask = (name: string, drafts: readonly Draft[]): Promise<void> =>
        create(run, version, `${name}${how}`, drafts, validateOnly);
      await ask("existing", [{ name: taken }]);
      await ask("existing, other partitions", [{ name: taken, numPartitions: 7 }]);
      await ask("existing, no partitions", [{ name: taken, numPartitions: 0 }]);
      await ask("existing, bad config", [
        { name: taken, configs: [{ name: "retention.ms", value: "soon" }] },
      ]);
      await ask("colliding", [{ name: `${stem}_a.b` }]);
      await ask("colliding with another of the request", [
        { name: `${stem}-${version}-${validateOnly}.x` },
        { name: `${stem}-${version}-${validateOnly}_x` },
      ]);
    }
  }
}

async function create(
  run: Run,
  version: number,
  name: string,
  drafts: readonly Draft[],
  validateOnly: boolean,
): Promise<void> {
  const topics = drafts.map((draft) => ({
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: [],
    ...draft,
  }));
  await run.pair.call(name, createTopicsApi, version, { topics, timeoutMs: 10_000, validateOnly });
}
