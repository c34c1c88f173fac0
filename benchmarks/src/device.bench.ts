import { mkdirSync } from "node:fs";
import type { DeviceKind } from "@karst/wal";
import { type Benchmark, type BenchmarkContext, sized } from "./benchmark.ts";
import { BURDENS, type Burden } from "./burden.ts";
import { figuresOf, ratiosOf } from "./measure/figures.ts";
import { appendRound, type RoundOutcome } from "./measure/in-flight.ts";
import { type Contestant, interleave } from "./measure/interleave.ts";
import { ValueMaker, VALUE_BYTES } from "./values.ts";
import { WalLog } from "./wal-log.ts";

const DEVICES: readonly DeviceKind[] = ["worker", "inline"];

interface Outcome extends RoundOutcome {
  /** What the burden got done meanwhile, per second. */
  readonly burdenPerSecond: number;
}

export const deviceBenchmark: Benchmark = {
  name: "device",
  summary: "the WAL's devices with nothing else to do, and beside what competes with them",
  run: async (context) => {
    for (const inFlight of [1, 64, 1_024]) await compare(context, inFlight);
  },
};

async function compare(context: BenchmarkContext, inFlight: number): Promise<void> {
  const { size, folder, report } = context;
  const rounds = sized(size, { smoke: 1, real: 7 });
  const appends = sized(size, {
    smoke: inFlight * 4,
    real: Math.min(40_960, inFlight * 600),
  });
  report.title(
    `device: WAL alone, ${VALUE_BYTES} B, ${inFlight} in flight, ${rounds} rounds of ${appends}`,
  );
  const rows = [];
  for (const burden of BURDENS) {
    const own = `${folder}/${inFlight}-${burden.name.replaceAll(" ", "-")}`;
    mkdirSync(own);
    const outcomes = await underBurden({ burden, folder: own, inFlight, appends, rounds });
    const perSecond = (device: DeviceKind): number[] =>
      (outcomes.get(device) ?? []).map((one) => one.perSecond);
    for (const [device, results] of outcomes) {
      rows.push([
        `${burden.name}: ${device}`,
        figuresOf(results.map((one) => one.perSecond)),
        figuresOf(results.map((one) => one.p50Ms)),
        figuresOf(results.map((one) => one.p99Ms)),
        burden.unit === "" ? undefined : figuresOf(results.map((one) => one.burdenPerSecond)),
        burden.unit,
        ratiosOf(perSecond(device as DeviceKind), perSecond("worker")),
      ]);
    }
  }
  report.table(["", "appends/s", "p50 ms", "p99 ms", "burden/s", "burden", "of worker"], rows);
}

async function underBurden(options: {
  readonly burden: Burden;
  readonly folder: string;
  readonly inFlight: number;
  readonly appends: number;
  readonly rounds: number;
}): Promise<ReadonlyMap<string, readonly Outcome[]>> {
  const { burden, folder, inFlight, appends, rounds } = options;
  const logs = await Promise.all(
    DEVICES.map(async (device) => ({
      device,
      log: await WalLog.open(`${folder}/${device}`, device),
    })),
  );
  const values = new ValueMaker();
  const contestants = logs.map(({ device, log }): Contestant<Outcome> => ({
    name: device,
    run: async () => {
      const running = await burden.start(folder);
      const beganMs = performance.now();
      const outcome = await appendRound({
        inFlight,
        appends,
        append: (index) => log.append(values.of(index)),
      });
      const seconds = (performance.now() - beganMs) / 1_000;
      const done = await running.stop();
      await log.trim();
      return { ...outcome, burdenPerSecond: done / seconds };
    },
  }));
  const outcomes = await interleave(contestants, { rounds });
  for (const { log } of logs) await log.close();
  return outcomes;
}
