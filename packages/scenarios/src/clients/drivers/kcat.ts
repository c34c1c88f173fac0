import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { bytesOf, type DriverRecord, type Place, type Position } from "../events.ts";
import {
  type ClientDriver,
  type ConsumeOptions,
  fail,
  type ProduceOptions,
  runDriver,
} from "./command-line.ts";
import { readRecord } from "./read-record.ts";

const DELIVERED = /Message delivered to partition (\d+) \(offset (\d+)\)/;
const REBALANCED = /^% Group \S+ rebalanced \(memberid [^)]*\): (assigned|revoked): ?(.*)$/;
const COMMIT_INTERVAL_MS = 100;
/** Between key and value; no test data has it. */
const BETWEEN = "\u0001";

/** A record as `kcat -J` prints it. */
interface JsonRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly ts: number;
  readonly key: string | null;
  readonly payload: string | null;
  /** Names and values by turns. */
  readonly headers?: readonly (string | null)[];
}

const driver: ClientDriver = {
  version() {
    const said = execFileSync("kcat", ["-V"], { encoding: "utf8" });
    return Promise.resolve({
      client: /Version (\S+)/.exec(said)?.[1] ?? "unknown",
      library: /librdkafka \S+/.exec(said)?.[0] ?? "unknown",
    });
  },

  /** Text without line ends only, and the time is always now. */
  async produce(options, records) {
    const places: { partition: number; offset: number }[] = [];
    // One process sends to one partition, with one set of headers; a process takes its second, whatever it sends.
    const runs = runsOf(records);
    const partitions = new Set(records.map(({ partition }) => partition));
    await Promise.all(
      [...partitions].map(async (partition) => {
        for (const run of runs.filter(([first]) => first?.record.partition === partition)) {
          const offsets = await produceRun(
            options,
            run.map((each) => each.record),
          );
          for (const [at, { index }] of run.entries())
            places[index] = { partition, offset: offsets[at] as number };
        }
      }),
    );
    return places;
  },

  async consume(options, teller) {
    const kcat = startMember(options);
    const ended = once(kcat, "close");
    let leaving = false;
    ended.then(
      ([code]) => leaving || fail(new Error(`kcat ended with ${String(code)}`)),
      (error: unknown) => fail(error),
    );
    createInterface({ input: kcat.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const change = REBALANCED.exec(line);
      if (change !== null) {
        const places = placesOf(change[2] ?? "");
        if (change[1] === "assigned") teller.assigned(places);
        else teller.revoked(places);
        return;
      }
      if (!line.startsWith("{")) {
        process.stderr.write(`${line}\n`);
        return;
      }
      const record = JSON.parse(line) as JsonRecord;
      const { ts: timestamp, payload: value, headers = [] } = record;
      teller.record(readRecord({ ...record, timestamp, value }, pairsOf(headers))).catch(fail);
    });
    return {
      commit: (positions) => committed(options, positions),
      leave: async () => {
        leaving = true;
        kcat.kill("SIGTERM");
        await ended;
      },
    };
  },
};

/** Records of one partition, headers and kind of absence, with their places in the whole. */
function runsOf(
  records: readonly DriverRecord[],
): { readonly index: number; readonly record: DriverRecord }[][] {
  const runs = new Map<string, { readonly index: number; readonly record: DriverRecord }[]>();
  for (const [index, record] of records.entries()) {
    const { partition, headers, key, value } = record;
    const name = JSON.stringify([partition, headers, key === null, value === null]);
    const run = runs.get(name);
    if (run === undefined) runs.set(name, [{ index, record }]);
    else run.push({ index, record });
  }
  return [...runs.values()];
}

async function produceRun(
  { bootstrap, topic, codec, idempotent }: ProduceOptions,
  records: readonly DriverRecord[],
): Promise<number[]> {
  const [first] = records as [DriverRecord];
  const args = ["-P", "-E", "-vvv", "-b", bootstrap, "-t", topic, "-p", String(first.partition)];
  args.push("-K", BETWEEN, "-z", codec, "-X", `enable.idempotence=${idempotent}`);
  // Deliveries are printed in order as long as requests do not overtake each other.
  if (!idempotent) args.push("-X", "max.in.flight.requests.per.connection=1");
  // Empty keys and values become null.
  if (first.value === null) args.push("-Z");
  for (const [name, value] of first.headers)
    args.push("-H", value === null ? name : `${name}=${String(bytesOf(value))}`);
  const kcat = spawn("kcat", args, { stdio: ["pipe", "ignore", "pipe"] });
  const closed = once(kcat, "close");
  kcat.stdin.on("error", () => undefined);
  kcat.stdin.end(records.map((record) => `${lineOf(record)}\n`).join(""));
  const offsets: number[] = [];
  let said = "";
  for await (const line of createInterface({ input: kcat.stderr })) {
    const delivered = DELIVERED.exec(line);
    if (delivered === null) said = `${said}\n${line}`.slice(-2_000);
    else offsets.push(Number(delivered[2]));
  }
  const [code] = (await closed) as [number | null];
  if (code !== 0 || offsets.length !== records.length)
    throw new Error(`kcat ended with ${code}, ${offsets.length} of ${records.length}:${said}`);
  return offsets;
}

/** Without what stands between them, the whole line is the value and the key is null. */
function lineOf({ key, value }: DriverRecord): string {
  const text = value === null ? "" : String(bytesOf(value));
  return key === null ? text : `${String(bytesOf(key))}${BETWEEN}${text}`;
}

/** What it says and what it reads, in one pipe, in the order in which it happens. */
function startMember(options: ConsumeOptions): ChildProcess {
  const settings = [
    "auto.offset.reset=earliest",
    `enable.auto.commit=${options.commit !== "never"}`,
    `auto.commit.interval.ms=${COMMIT_INTERVAL_MS}`,
    `session.timeout.ms=${options.sessionTimeoutMs}`,
    `heartbeat.interval.ms=${options.heartbeatMs}`,
    `partition.assignment.strategy=${options.assignor}`,
    "check.crcs=true",
    "log_level=2",
  ];
  const args = ["-b", options.bootstrap, "-J", "-u", ...settings.flatMap((each) => ["-X", each])];
  return spawn(
    "sh",
    ["-c", 'exec kcat "$@" 2>&1', "kcat", ...args, "-G", options.group, ...options.topics],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
}

/** `t [0], t [1]` */
function placesOf(text: string): Place[] {
  return [...text.matchAll(/(\S+) \[(\d+)\]/g)].map(([, topic, partition]) => [
    topic as string,
    Number(partition),
  ]);
}

function pairsOf(flat: readonly (string | null)[]): (readonly [string, string | null])[] {
  const pairs: (readonly [string, string | null])[] = [];
  for (let at = 0; at < flat.length; at += 2)
    pairs.push([flat[at] as string, flat[at + 1] as string | null]);
  return pairs;
}

/** kcat commits by itself, soon: resolves when the broker has all of it. */
async function committed(options: ConsumeOptions, positions: readonly Position[]): Promise<void> {
  const kafka = new Kafka({ brokers: [options.bootstrap], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    while (!(await hasAll(admin, options, positions))) await delay(COMMIT_INTERVAL_MS);
  } finally {
    await admin.disconnect();
  }
}

async function hasAll(
  admin: Admin,
  { group, topics }: ConsumeOptions,
  positions: readonly Position[],
): Promise<boolean> {
  const found = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
  return positions.every(({ topic, partition, offset }) =>
    found.some(
      (each) =>
        each.topic === topic &&
        each.partitions.some((one) => one.partition === partition && Number(one.offset) >= offset),
    ),
  );
}

await runDriver(driver);
