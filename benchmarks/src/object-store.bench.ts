import { randomUUID } from "node:crypto";
import { crc32c } from "@karst/runtime";
import { minioObjectStore } from "@karst/objectstore/minio";
import { s3ObjectStore } from "@karst/objectstore/s3";
import { chosenServer, startServer } from "../../scripts/s3-server.mjs";
import { LeanS3 } from "./bare/lean-s3.ts";
import { type Benchmark, type BenchmarkContext, sized } from "./benchmark.ts";
import { figuresOf, ratiosOf } from "./measure/figures.ts";
import { type Contestant, interleave } from "./measure/interleave.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const IN_FLIGHT = 4;

/** What a driver and the yardstick have in common. */
interface Client {
  put(key: string, body: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array>;
  close(): void | Promise<void>;
}

interface Outcome {
  readonly perSecond: number;
  /** Of this process: the server has one of its own. */
  readonly cpuMs: number;
}

export const objectStoreBenchmark: Benchmark = {
  name: "object-store",
  summary: "puts and gets of the bucket drivers, beside a lean signed request",
  run: async (context) => {
    const chosen = chosenServer();
    if (chosen === undefined || chosen === "endpoint") {
      context.report.title("object store: left out");
      context.report.line("no S3 server is here: node scripts/s3-server.mjs --obtain");
      return;
    }
    const server = await startServer(chosen);
    const bucket = `bench-${randomUUID()}`;
    try {
      await server.createBucket(bucket);
      const { endpoint, region, accessKeyId, secretAccessKey } = server;
      const place = { bucket, endpoint, region };
      const credentials = { accessKeyId, secretAccessKey };
      const clients: Readonly<Record<string, Client>> = {
        "lean, signed": new LeanS3({ ...place, ...credentials, signed: true }),
        "lean, unsigned": new LeanS3({ ...place, ...credentials, signed: false }),
        "s3, signed": s3ObjectStore({ ...place, credentials, payload: "signed" }),
        "s3, unsigned": s3ObjectStore({ ...place, credentials, payload: "unsigned" }),
        "minio, signed": minioObjectStore({ ...place, credentials }),
      };
      for (const bytes of [64 * KiB, MiB, 16 * MiB])
        for (const call of ["put", "get"] as const)
          await compare(context, { clients, call, bytes, server: server.source });
      for (const client of Object.values(clients)) await client.close();
    } finally {
      await server.stop();
    }
  },
};

async function compare(
  { size, report }: BenchmarkContext,
  options: {
    readonly clients: Readonly<Record<string, Client>>;
    readonly call: "put" | "get";
    readonly bytes: number;
    readonly server: string;
  },
): Promise<void> {
  const { clients, call, bytes, server } = options;
  const rounds = sized(size, { smoke: 1, real: 5 });
  const calls = sized(size, {
    smoke: IN_FLIGHT,
    real: Math.min(400, Math.max(IN_FLIGHT * 4, Math.floor((128 * MiB) / bytes))),
  });
  const body = new Uint8Array(bytes).map((_, i) => (i * 131) & 0xff);
  const checksum = crc32c(body);
  const contestants = Object.entries(clients).map(([name, client]): Contestant<Outcome> => {
    const key = (i: number): string => `${name.replace(/\W+/g, "-")}/${bytes}-${i % IN_FLIGHT}`;
    return {
      name,
      run: async () => {
        const cpu = process.cpuUsage();
        const beganMs = performance.now();
        await inTurns(calls, async (i) => {
          if (call === "put") await client.put(key(i), body);
          else if ((await client.get(key(i))).length !== bytes) throw new Error(`${name}: length`);
        });
        const seconds = (performance.now() - beganMs) / 1_000;
        const { user, system } = process.cpuUsage(cpu);
        return { perSecond: calls / seconds, cpuMs: (user + system) / 1_000 / calls };
      },
      rest: async () => {
        if (crc32c(await client.get(key(0))) !== checksum) throw new Error(`${name}: other bytes`);
      },
    };
  });
  report.title(
    `object store: ${call} of ${bytes / KiB} KiB, ${IN_FLIGHT} in flight, ${rounds} rounds of ${calls}, ${server}`,
  );
  const outcomes = await interleave(contestants, { rounds });
  const lean = (outcomes.get("lean, signed") ?? []).map(({ perSecond }) => perSecond);
  report.table(
    ["", "calls/s", "MiB/s", "client CPU ms", "of lean, signed"],
    [...outcomes].map(([name, results]) => {
      const perSecond = results.map((one) => one.perSecond);
      return [
        name,
        figuresOf(perSecond),
        figuresOf(perSecond.map((value) => (value * bytes) / MiB)),
        figuresOf(results.map((one) => one.cpuMs)),
        ratiosOf(perSecond, lean),
      ];
    }),
  );
  report.line(`checksum ${checksum.toString(16)}`);
}

/** `count` calls, a few at a time. */
async function inTurns(count: number, call: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const i = next;
      next += 1;
      if (i >= count) return;
      await call(i);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}
