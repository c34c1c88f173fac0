import { mkdirSync } from "node:fs";
import { encodeBatch } from "@karst/records";
import type { DeviceKind } from "@karst/wal";
import { BareLog, type BareMode } from "./bare/group-commit.ts";
import { type Benchmark, type BenchmarkContext, sized } from "./benchmark.ts";
import { openEmbedded, openPartition, type Uploads, UPLOADS_APART_MS } from "./embedded.ts";
import { appendRound, type RoundOutcome } from "./measure/in-flight.ts";
import { type Contestant, interleave } from "./measure/interleave.ts";
import { quiet } from "./measure/quiet.ts";
import { roundsTable } from "./report/rounds-table.ts";
import { addValue, checksumOfValues, VALUE_BYTES, ValueMaker } from "./values.ts";

/** One comparison. */
interface Setting {
  readonly inFlight: number;
  readonly uploads: Uploads;
  readonly rounds: { readonly smoke: number; readonly real: number };
  /** Of one round. */
  readonly appends: { readonly smoke: number; readonly real: number };
}

const SETTINGS: readonly Setting[] = [
  {
    inFlight: 1,
    uploads: "apart",
    rounds: { smoke: 1, real: 5 },
    appends: { smoke: 50, real: 1_500 },
  },
  {
    inFlight: 1_024,
    uploads: "apart",
    rounds: { smoke: 1, real: 5 },
    appends: { smoke: 4_096, real: 40_960 },
  },
  {
    inFlight: 1_024,
    uploads: "default",
    rounds: { smoke: 1, real: 5 },
    appends: { smoke: 4_096, real: 204_800 },
  },
];

/** A contestant that takes values. */
interface Appender {
  readonly name: string;
  /** Whether it goes on working after a round. */
  readonly uploads: boolean;
  append(index: number): Promise<unknown>;
  /** The checksum of all values that are there; undefined: they are not kept. */
  read(): Promise<number | undefined>;
  close(): Promise<void>;
}

export const appendBenchmark: Benchmark = {
  name: "append",
  summary: "embedded append beside the bare group-commit loop, 1 and 1,024 in flight",
  run: async (context) => {
    for (const setting of SETTINGS) await compare(context, setting);
  },
};

async function compare(context: BenchmarkContext, setting: Setting): Promise<void> {
  const { size, folder, report } = context;
  const { inFlight, uploads } = setting;
  const rounds = sized(size, setting.rounds);
  const appends = sized(size, setting.appends);
  const warmUps = 1;
  const place = (name: string): string => {
    const path = `${folder}/${inFlight}-${uploads}-${name.replaceAll(" ", "-")}`;
    mkdirSync(path);
    return path;
  };
  const appenders = [
    bare("bare, blocking", "blocking", place),
    bare("bare, pool", "pool", place),
    await embedded("append, worker", "worker", uploads, place),
    await embedded("append, inline", "inline", uploads, place),
    await partition("partition log, worker", "worker", uploads, place),
    await partition("partition log, inline", "inline", uploads, place),
  ];
  const restMs = uploads === "apart" ? UPLOADS_APART_MS + 500 : 300;
  const contestants = appenders.map((appender): Contestant<RoundOutcome> => ({
    name: appender.name,
    run: () => appendRound({ inFlight, appends, append: appender.append }),
    rest: () => quiet(appender.uploads ? sized(size, { smoke: 0, real: restMs }) : 0),
  }));
  const outcomes = await interleave(contestants, { rounds, warmUps });
  report.title(
    `append: ${VALUE_BYTES} B, ${inFlight} in flight, uploads ${uploads}, ${rounds} rounds of ${appends}`,
  );
  roundsTable(report, outcomes, ["bare, blocking", "bare, pool"]);
  const expected = checksumOfValues((warmUps + rounds) * appends, appends);
  for (const { name, read, close } of appenders) {
    const found = await read();
    if (found !== undefined && found !== expected)
      throw new Error(`${name}: what was read is not what was appended`);
    await close();
  }
  report.line(`checksum ${expected.toString(16)}`);
}

type Place = (name: string) => string;

function bare(name: string, mode: BareMode, place: Place): Appender {
  const log = new BareLog(`${place(name)}/log`, mode);
  const values = new ValueMaker();
  return {
    name,
    uploads: false,
    append: (index) => log.append(values.of(index)),
    read: () => Promise.resolve(undefined),
    close: () => Promise.resolve(log.close()),
  };
}

async function embedded(
  name: string,
  device: DeviceKind,
  uploads: Uploads,
  place: Place,
): Promise<Appender> {
  const { engine, close } = await openEmbedded({ folder: place(name), device, uploads });
  const topic = engine.topic("bench");
  const values = new ValueMaker();
  return {
    name,
    uploads: true,
    append: (index) => topic.append({ value: values.of(index) }),
    read: async () => {
      let sum = 0;
      for await (const record of topic.read({ from: "earliest" }))
        sum = addValue(sum, record.value);
      return sum;
    },
    close,
  };
}

/** One batch of one record per append, encoded before. */
async function partition(
  name: string,
  device: DeviceKind,
  uploads: Uploads,
  place: Place,
): Promise<Appender> {
  const { log, close } = await openPartition({ folder: place(name), device, uploads });
  const batch = encodeBatch([{ timestampMs: Date.now(), value: new ValueMaker().of(0) }]);
  return {
    name,
    uploads: true,
    append: () => {
      // The log has put its offset there, and wants what producers write. Not covered by the CRC.
      batch.fill(0, 0, 8);
      return log.append(batch).durable;
    },
    read: () => Promise.resolve(undefined),
    close,
  };
}
