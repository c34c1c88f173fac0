import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { CodecName, CommitMode, DriverRecord, Position } from "../events.ts";
import { tell, Teller } from "./teller.ts";

/** From the word to leave to the end of the process. */
const LEAVING_MS_MAX = 25_000;

export interface ProduceOptions {
  readonly bootstrap: string;
  readonly topic: string;
  readonly codec: CodecName;
  readonly idempotent: boolean;
}

export interface ConsumeOptions {
  readonly bootstrap: string;
  readonly topics: readonly string[];
  readonly group: string;
  readonly commit: CommitMode;
  readonly sessionTimeoutMs: number;
  /** Undefined: the client's own. */
  readonly rebalanceTimeoutMs: number | undefined;
  readonly heartbeatMs: number;
  readonly assignor: string;
  /** With all codecs of @karst/records plugged in. */
  readonly plugged: boolean;
}

/** A running member. */
export interface RunningMember {
  commit(positions: readonly Position[]): Promise<void>;
  leave(): Promise<void>;
}

export interface ClientDriver {
  version(): Promise<{ readonly client: string; readonly library: string }>;
  /** @returns partition and offset of each record, in the order of the records. */
  produce(
    options: ProduceOptions,
    records: readonly DriverRecord[],
  ): Promise<readonly RecordPlace[]>;
  consume(options: ConsumeOptions, teller: Teller): Promise<RunningMember>;
}

export interface RecordPlace {
  readonly partition: number;
  readonly offset: number;
}

/** Where records are that went, in their order, behind the first offset of each partition. */
export function placesFrom(
  first: Iterable<readonly [partition: number, offset: number]>,
  records: readonly DriverRecord[],
): RecordPlace[] {
  const next = new Map(first);
  return records.map(({ partition }) => {
    const offset = next.get(partition) ?? NaN;
    next.set(partition, offset + 1);
    return { partition, offset };
  });
}

/** Runs the command line of packages/scenarios/clients/README.md over one client. Ends the process. */
export async function runDriver(driver: ClientDriver): Promise<void> {
  try {
    await run(driver);
    process.exit(0);
  } catch (error) {
    fail(error);
  }
}

/** Says why, and ends the process: for failures that nothing awaits. */
export function fail(error: unknown): never {
  tell({ event: "failed", message: describe(error) });
  process.exit(1);
}

/** With what lies below it, once each. */
function describe(error: unknown): string {
  const below = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  const cause = error instanceof Error && error.cause !== undefined ? [error.cause] : [];
  return [String(error), ...new Set([...below, ...cause].map(describe))].join("; ");
}

async function run(driver: ClientDriver): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: {
      bootstrap: text,
      topic: text,
      topics: text,
      codec: text,
      idempotent: text,
      group: text,
      commit: text,
      "session-timeout-ms": text,
      "rebalance-timeout-ms": text,
      "heartbeat-ms": text,
      assignor: { ...text, default: "range" },
      plugged: { ...text, default: "false" },
      gated: { ...text, default: "false" },
      "hang-after": { ...text, default: "0" },
    },
  });
  const wanted = (name: "bootstrap" | "codec" | "commit" | "group" | "topic" | "topics"): string =>
    required(name, values[name]);
  switch (command) {
    case "version":
      return tell({ event: "version", ...(await driver.version()) });
    case "produce":
      return produce(driver, {
        bootstrap: wanted("bootstrap"),
        topic: wanted("topic"),
        codec: wanted("codec") as CodecName,
        idempotent: required("idempotent", values.idempotent) === "true",
      });
    case "consume": {
      const rebalanceTimeout = values["rebalance-timeout-ms"];
      const options: ConsumeOptions = {
        bootstrap: wanted("bootstrap"),
        topics: wanted("topics").split(","),
        group: wanted("group"),
        commit: wanted("commit") as CommitMode,
        sessionTimeoutMs: Number(required("session-timeout-ms", values["session-timeout-ms"])),
        rebalanceTimeoutMs: rebalanceTimeout === undefined ? undefined : Number(rebalanceTimeout),
        heartbeatMs: Number(required("heartbeat-ms", values["heartbeat-ms"])),
        assignor: values.assignor,
        plugged: values.plugged === "true",
      };
      const gated = values.gated === "true";
      return consume(driver, options, { gated, hangAfter: Number(values["hang-after"]) });
    }
    default:
      throw new TypeError("commands: version, produce, consume");
  }
}

function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new TypeError(`--${name} is missing`);
  return value;
}

async function produce(driver: ClientDriver, options: ProduceOptions): Promise<void> {
  const records: DriverRecord[] = [];
  for await (const line of createInterface({ input: process.stdin }))
    records.push(JSON.parse(line) as DriverRecord);
  const places = await driver.produce(options, records);
  if (places.length !== records.length)
    throw new Error(`${places.length} acknowledgements for ${records.length} records`);
  for (const [index, place] of places.entries()) tell({ event: "acknowledged", index, ...place });
}

async function consume(
  driver: ClientDriver,
  options: ConsumeOptions,
  how: { readonly gated: boolean; readonly hangAfter: number },
): Promise<void> {
  const teller = new Teller({ commit: options.commit, ...how }, async (positions) =>
    (await running).commit(positions),
  );
  const running = driver.consume(options, teller);
  const lines = createInterface({ input: process.stdin });
  running.catch(fail);
  for await (const line of lines) {
    if (line === "leave") break;
    if (line === "go") teller.open();
    if (line === "commit") await teller.commit();
  }
  setTimeout(() => fail(new Error("has not left the group in time")), LEAVING_MS_MAX).unref();
  const member = await running;
  await teller.end();
  await member.leave();
  tell({ event: "left" });
}
