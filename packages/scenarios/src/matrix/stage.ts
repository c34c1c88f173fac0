import { join } from "node:path";
import { crossingsOf } from "../crossings.ts";
import { CuttingProxy } from "../cutting-proxy.ts";
import { createTopics } from "../kafkajs-admin.ts";
import { type Victim, type WriterPlan } from "../kill-run.ts";
import { freePort, Server } from "../server.ts";
import { EmbeddedHost, type EmbeddedPlace, embeddedWriter } from "../writers/embedded.ts";
import { kafkajsWriter } from "../writers/kafkajs.ts";
import { kcatWriter } from "../writers/kcat.ts";
import { platformaticWriter } from "../writers/platformatic.ts";
import type { BucketStore, Combination } from "./combinations.ts";

/** Of every topic. The group's two members have one each. */
const PARTITIONS = 2;

/** Small enough that a few thousand rows cross them, the last also where they are compressed to 30 kB. */
const LIMITS: Readonly<Record<string, number>> = {
  firstSegmentBytes: 256 * 1024,
  segmentBytes: 256 * 1024,
  uploadBytes: 8 * 1024,
};

const CLIENTS = {
  kcat: { make: kcatWriter, batchMin: 100, batchMax: 600 },
  kafkajs: { make: kafkajsWriter, batchMin: 1, batchMax: 200 },
  platformatic: { make: platformaticWriter, batchMin: 1, batchMax: 200 },
} as const;

const EMBEDDED_BATCH = { batchMin: 1, batchMax: 150 };

/** Where an S3 server is, for combinations over one. */
export interface Bucket {
  /** What it is: the source that it was built of. */
  readonly server: string;
  readonly endpoint: string;
  readonly name: string;
  /** Credentials and region, as the SDKs read them. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What a combination is played on: who writes, what dies, and where the group reads. */
export interface Stage {
  readonly victim: Victim;
  /** For writers; none for the embedded API. */
  readonly bootstrap: string;
  readonly writer: Pick<WriterPlan, "make" | "batchMin" | "batchMax">;
  /** Called once, when everything is written. @returns where a broker is. */
  readers(): Promise<string>;
  /** Uploads that the broker, if it is one that writes, says it has published. */
  uploads(): number | undefined;
  /** Nothing of it runs when this resolves. */
  end(): Promise<void>;
}

export async function openStage(options: {
  readonly combination: Combination;
  readonly topic: string;
  /** Empty. */
  readonly directory: string;
  readonly buckets: ReadonlyMap<BucketStore, Bucket>;
}): Promise<Stage> {
  const { combination, topic } = options;
  const place = placeOf(combination, options.directory, options.buckets);
  if (combination.client === "embedded") return embeddedStage(place);
  const stage = await (combination.store === "memory" ? cutStage(place) : killedStage(place));
  try {
    await createTopics(stage.bootstrap, [topic], PARTITIONS);
  } catch (error) {
    await stage.end();
    throw error;
  }
  return { ...stage, writer: CLIENTS[combination.client] };
}

type Place = EmbeddedPlace & Required<Pick<EmbeddedPlace, "limits">>;

/** @throws TypeError without the bucket that it needs. */
function placeOf(
  { store }: Combination,
  directory: string,
  buckets: ReadonlyMap<BucketStore, Bucket>,
): Place {
  switch (store) {
    case "file":
      return { root: `file:${join(directory, "data")}`, limits: LIMITS };
    case "memory":
      return { root: "memory:matrix", limits: LIMITS };
    case "s3":
    case "minio": {
      const bucket = buckets.get(store);
      if (bucket === undefined) throw new TypeError(`there is no bucket for ${store}`);
      const { endpoint, name, environment } = bucket;
      // No two directories have the same name.
      const root = `${store}://${name}/matrix${directory.replaceAll(/[^a-zA-Z0-9]+/g, "-")}?endpoint=${endpoint}`;
      return { root, wal: `file:${join(directory, "wal")}`, limits: LIMITS, environment };
    }
  }
}

function serveArgs({ root, wal, limits }: Place): string[] {
  return [
    "--root",
    root,
    ...(wal === undefined ? [] : ["--wal", wal]),
    ...Object.entries(limits).flatMap(([name, value]) => ["--limit", `${name}=${value}`]),
  ];
}

/** A broker that is killed. */
async function killedStage(place: Place): Promise<Omit<Stage, "writer">> {
  const { environment = {} } = place;
  const server = new Server({ port: await freePort(), args: serveArgs(place), environment });
  await server.start();
  return {
    victim: server,
    bootstrap: server.address,
    readers: () => Promise.resolve(server.address),
    uploads: () => crossingsOf(server.events).uploads,
    end: () => server.end(),
  };
}

/** A broker whose connections are cut. */
async function cutStage(place: Place): Promise<Omit<Stage, "writer">> {
  const [port, target] = [await freePort(), await freePort()];
  const bootstrap = `127.0.0.1:${port}`;
  const server = new Server({
    port: target,
    args: [...serveArgs(place), "--advertised", bootstrap],
  });
  await server.start();
  const proxy = await CuttingProxy.start(port, target);
  return {
    victim: { kill: () => Promise.resolve(proxy.cut()), start: () => Promise.resolve() },
    bootstrap,
    readers: () => Promise.resolve(bootstrap),
    uploads: () => crossingsOf(server.events).uploads,
    end: async () => {
      await proxy.close();
      await server.end();
    },
  };
}

/** An embedded engine in a process that is killed, or that is closed in the middle; then a broker over its root. */
async function embeddedStage(place: Place): Promise<Stage> {
  const host = new EmbeddedHost(place);
  await host.start();
  const server = new Server({
    port: await freePort(),
    args: serveArgs(place),
    environment: place.environment ?? {},
  });
  return {
    victim: host,
    bootstrap: "",
    writer: {
      ...EMBEDDED_BATCH,
      make: (options) => Promise.resolve(embeddedWriter(options, host)),
    },
    readers: async () => {
      if (place.root.startsWith("memory:")) return host.serve();
      await host.close();
      await server.start();
      return server.address;
    },
    uploads: () => undefined,
    end: async () => {
      await host.end();
      await server.end();
    },
  };
}
