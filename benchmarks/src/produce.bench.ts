import { mkdirSync } from "node:fs";
import { type Benchmark, type BenchmarkContext, sized } from "./benchmark.ts";
import { createTopic } from "./load/create-topic.ts";
import { Load, type LoadFigures } from "./load/load.ts";
import { TOPIC } from "./load/requests.ts";
import { Server } from "./load/server.ts";
import { figuresOf } from "./measure/figures.ts";
import type { RoundOutcome } from "./measure/in-flight.ts";
import { type Contestant, interleave } from "./measure/interleave.ts";
import { quietServer } from "./measure/quiet.ts";
import { roundsTable } from "./report/rounds-table.ts";

const PARTITIONS = 10;
const VALUE_BYTES = 1024;

interface Shape {
  readonly connections: number;
  readonly depth: number;
  /** Of 1 KiB, in each request. */
  readonly records: number;
  /** Rounds that fill the memory budget, so that no page is touched for the first time. */
  readonly warmUps: number;
  /** Per round. */
  readonly requests: { readonly smoke: number; readonly real: number };
}

const SHAPES: readonly Shape[] = [
  { connections: 1, depth: 1, records: 1, warmUps: 1, requests: { smoke: 50, real: 1_500 } },
  { connections: 50, depth: 5, records: 1, warmUps: 5, requests: { smoke: 1_000, real: 60_000 } },
  { connections: 10, depth: 5, records: 64, warmUps: 2, requests: { smoke: 100, real: 4_000 } },
];

type Outcome = RoundOutcome & LoadFigures;

export const produceBenchmark: Benchmark = {
  name: "produce",
  summary: "produce requests of one client process beside a toy broker",
  run: async (context) => {
    const load = new Load();
    try {
      for (const shape of SHAPES) await compare(context, shape, load);
    } finally {
      load.close();
    }
  },
};

async function compare(
  { size, folder, report }: BenchmarkContext,
  shape: Shape,
  load: Load,
): Promise<void> {
  const { connections, depth, records } = shape;
  const rounds = sized(size, { smoke: 1, real: 5 });
  const requests = sized(size, shape.requests);
  const place = (name: string): string => {
    const path = `${folder}/${connections}-${depth}-${records}-${name}`;
    mkdirSync(path);
    return path;
  };
  const karst = await Server.karst(place("karst"));
  await createTopic(karst.port, TOPIC, PARTITIONS);
  const servers: readonly (readonly [string, Server])[] = [
    ["toy, pool", await Server.toy(place("toy-pool"), "pool")],
    ["toy, blocking", await Server.toy(place("toy-blocking"), "blocking")],
    ["karst serve", karst],
  ];
  const contestants = servers.map(([name, server]): Contestant<Outcome> => ({
    name,
    run: async () => {
      const { port } = server;
      const before = server.cpuSeconds;
      const figures = await load.run({
        port,
        connections,
        depth,
        requests,
        records,
        valueBytes: VALUE_BYTES,
        partitions: PARTITIONS,
      });
      return { ...figures, cpuMicroseconds: ((server.cpuSeconds - before) * 1e6) / requests };
    },
    rest: () => (server === karst ? quietServer(() => karst.cpuSeconds) : Promise.resolve()),
  }));
  try {
    const outcomes = await interleave(contestants, {
      rounds,
      warmUps: sized(size, { smoke: 1, real: shape.warmUps }),
    });
    report.title(
      `produce: ${connections} connections × ${depth} in flight, ${records} × ${VALUE_BYTES} B a request, ${rounds} rounds of ${requests}`,
    );
    roundsTable(report, outcomes, ["toy, pool", "toy, blocking"]);
    const mebibytes = (requestsPerSecond: number): number =>
      (requestsPerSecond * records * VALUE_BYTES) / 2 ** 20;
    for (const [name, results] of outcomes) {
      const { median } = figuresOf(results.map((one) => mebibytes(one.perSecond)));
      report.line(`${name}: ${median.toFixed(1)} MiB/s`);
    }
    report.line(`checksum ${agreed(outcomes).toString(16)}`);
  } finally {
    for (const [, server] of servers) await server.stop();
  }
}

/** Offsets are given without gaps, so that the same requests get the same ones from everybody, in every round. */
function agreed(outcomes: ReadonlyMap<string, readonly Outcome[]>): number {
  const [first, ...others] = outcomes.values();
  const expected = first?.map((outcome) => outcome.checksum) ?? [];
  for (const other of others) {
    if (other.some((outcome, round) => outcome.checksum !== expected[round])) {
      throw new Error("brokers gave different offsets to the same requests");
    }
  }
  return expected.at(-1) ?? 0;
}
