import { join } from "node:path";
import { type Crossings, crossingsOf } from "./crossings.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import type { Row } from "./dataset.ts";
import { createTopics } from "./kafkajs-admin.ts";
import { killRun, type KillRunResult, PARTITIONS, type WriterPlan } from "./kill-run.ts";
import { type Mutant, nodeArgsOf } from "./mutants.ts";
import { readByKcat } from "./readers.ts";
import { freePort, Server } from "./server.ts";
import type { ReadRow } from "./verify.ts";
import { EmbeddedHost, embeddedWriter } from "./writers/embedded.ts";
import { kafkajsWriter } from "./writers/kafkajs.ts";
import { kcatWriter } from "./writers/kcat.ts";
import { platformaticWriter } from "./writers/platformatic.ts";

const MiB = 1024 * 1024;

/** Small enough that a few megabytes cross every boundary many times. */
const SMALL_LIMITS: Readonly<Record<string, number>> = { segmentBytes: MiB, uploadBytes: 2 * MiB };

const KAFKA_PLANS: readonly WriterPlan[] = [
  { topic: "rows-kcat", idempotent: false, batchMin: 500, batchMax: 3_000, make: kcatWriter },
  {
    topic: "rows-kcat-idempotent",
    idempotent: true,
    batchMin: 500,
    batchMax: 3_000,
    make: kcatWriter,
  },
  { topic: "rows-kafkajs", idempotent: false, batchMin: 1, batchMax: 400, make: kafkajsWriter },
  {
    topic: "rows-kafkajs-idempotent",
    idempotent: true,
    batchMin: 1,
    batchMax: 400,
    make: kafkajsWriter,
  },
  {
    topic: "rows-platformatic",
    idempotent: false,
    batchMin: 1,
    batchMax: 400,
    make: platformaticWriter,
  },
  {
    topic: "rows-platformatic-idempotent",
    idempotent: true,
    batchMin: 1,
    batchMax: 400,
    make: platformaticWriter,
  },
];

function createKafkaTopics(bootstrap: string): Promise<void> {
  const topics = KAFKA_PLANS.map((plan) => plan.topic);
  return createTopics(bootstrap, topics, PARTITIONS);
}

function limitArgs(limits: Readonly<Record<string, number>>): string[] {
  return Object.entries(limits).flatMap(([name, value]) => ["--limit", `${name}=${value}`]);
}

async function readAll(topics: readonly string[], bootstrap: string): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  for (const topic of topics) for (const row of await readByKcat(bootstrap, topic)) rows.push(row);
  return rows;
}

/** Two readers that have nothing in common must find the same. */
function assertSame(a: readonly ReadRow[], b: readonly ReadRow[]): void {
  const text = (rows: readonly ReadRow[]): string =>
    rows
      .map(
        (row) =>
          `${row.topic}\t${row.partition}\t${String(row.offset).padStart(12)}\t${row.id}\t${row.value}`,
      )
      .sort()
      .join("\n");
  if (text(a) !== text(b))
    throw new Error(`kcat read ${a.length} records, the embedded API ${b.length}, or other bytes`);
}

/** Every Kafka client, idempotent and not, against the broker over `file:`, which is killed. */
export async function kafkaRun(options: {
  readonly seed: number;
  readonly directory: string;
  readonly rows: readonly Row[];
  readonly kills: number;
  /** Run with a deliberate bug, without idempotent producers: those would notice the loss themselves, and give up. */
  readonly mutant?: Mutant;
}): Promise<KillRunResult & { readonly crossed: Crossings }> {
  const data = join(options.directory, "data");
  const server = new Server({
    port: await freePort(),
    args: ["--data", data, ...limitArgs(SMALL_LIMITS)],
    nodeArgs: options.mutant === undefined ? [] : nodeArgsOf(options.mutant),
  });
  await server.start();
  const plans = KAFKA_PLANS.filter((plan) => options.mutant === undefined || !plan.idempotent);
  let fromKcat: readonly ReadRow[] = [];
  try {
    await createKafkaTopics(server.address);
    const result = await killRun({
      seed: options.seed,
      rows: options.rows,
      plans,
      bootstrap: server.address,
      victim: server,
      kills: options.kills,
      readBack: async (topics) => (fromKcat = await readAll(topics, server.address)),
    });
    await server.stop();
    const embedded = new EmbeddedHost({ root: `file:${data}` });
    await embedded.start();
    const fromEmbedded: ReadRow[] = [];
    for (const { topic } of plans)
      for (const row of await embedded.read(topic)) fromEmbedded.push(row);
    await embedded.close();
    assertSame(fromKcat, fromEmbedded);
    return { ...result, crossed: crossingsOf(server.events) };
  } finally {
    await server.end();
  }
}

/** The embedded API in a process that is killed; read back by kcat through a broker over the same root, and embedded. */
export async function embeddedRun(options: {
  readonly seed: number;
  readonly directory: string;
  readonly rows: readonly Row[];
  readonly kills: number;
}): Promise<KillRunResult> {
  const data = join(options.directory, "data");
  const host = new EmbeddedHost({ root: `file:${data}`, limits: SMALL_LIMITS });
  await host.start();
  return killRun({
    seed: options.seed,
    rows: options.rows,
    plans: ["rows-embedded-a", "rows-embedded-b"].map((topic) => ({
      topic,
      idempotent: false,
      batchMin: 1,
      batchMax: 300,
      make: (writer) => Promise.resolve(embeddedWriter(writer, host)),
    })),
    bootstrap: "",
    victim: host,
    kills: options.kills,
    readBack: async (topics) => {
      const fromEmbedded: ReadRow[] = [];
      for (const topic of topics) for (const row of await host.read(topic)) fromEmbedded.push(row);
      await host.close();
      const server = new Server({ port: await freePort(), args: ["--data", data] });
      await server.start();
      try {
        const fromKcat = await readAll(topics, server.address);
        assertSame(fromKcat, fromEmbedded);
        await server.stop();
        return fromKcat;
      } finally {
        await server.end();
      }
    },
  });
}

/** Default limits over `memory:`; nothing dies, but connections are cut in the middle of requests and answers. */
export async function cutRun(options: {
  readonly seed: number;
  readonly rows: readonly Row[];
  readonly cuts: number;
}): Promise<KillRunResult> {
  const [port, target] = [await freePort(), await freePort()];
  const server = new Server({
    port: target,
    args: ["--root", "memory:", "--advertised", `127.0.0.1:${port}`],
  });
  await server.start();
  const proxy = await CuttingProxy.start(port, target);
  try {
    await createKafkaTopics(`127.0.0.1:${port}`);
    return await killRun({
      seed: options.seed,
      rows: options.rows,
      plans: KAFKA_PLANS,
      bootstrap: `127.0.0.1:${port}`,
      victim: { kill: () => Promise.resolve(proxy.cut()), start: () => Promise.resolve() },
      kills: options.cuts,
      readBack: (topics) => readAll(topics, `127.0.0.1:${port}`),
    });
  } finally {
    await proxy.close();
    await server.end();
  }
}
