import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { CodecName, DriverEvent, DriverRecord, Place, ReadRecord } from "../events.ts";

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
  readonly commits: boolean;
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly assignor: string;
}

/** What a consuming driver tells, in the order in which it happens. */
export interface Teller {
  assigned(partitions: readonly Place[]): void;
  revoked(partitions: readonly Place[]): void;
  record(record: ReadRecord): void;
}

/** A running member. */
export interface RunningMember {
  /** Commits what has been told so far. */
  commit(): Promise<void>;
  leave(): Promise<void>;
}

export interface ClientDriver {
  version(): Promise<{ readonly client: string; readonly library: string }>;
  /** @returns partition and offset of each record, in the order of the records. */
  produce(
    options: ProduceOptions,
    records: readonly DriverRecord[],
  ): Promise<readonly { readonly partition: number; readonly offset: number }[]>;
  consume(options: ConsumeOptions, teller: Teller): Promise<RunningMember>;
}

/** Runs the command line of packages/scenarios/clients/README.md over one client. Ends the process. */
export async function runDriver(driver: ClientDriver): Promise<void> {
  try {
    await run(driver);
    process.stdout.write("", () => process.exit(0));
  } catch (error) {
    fail(error);
  }
}

/** Says why, and ends the process: for failures that nothing awaits. */
export function fail(error: unknown): void {
  const line = JSON.stringify({ event: "failed", message: describe(error) } satisfies DriverEvent);
  process.stdout.write(`${line}\n`, () => process.exit(1));
}

/** With what lies below it, once each. */
function describe(error: unknown): string {
  const below = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  const cause = error instanceof Error && error.cause !== undefined ? [error.cause] : [];
  return [String(error), ...new Set([...below, ...cause].map(describe))].join("; ");
}

function tell(event: DriverEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
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
      "heartbeat-ms": text,
      assignor: { ...text, default: "range" },
    },
  });
  const wanted = (name: Exclude<keyof typeof values, "assignor">): string => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`--${name} is missing`);
    return value;
  };
  switch (command) {
    case "version":
      return tell({ event: "version", ...(await driver.version()) });
    case "produce":
      return produce(driver, {
        bootstrap: wanted("bootstrap"),
        topic: wanted("topic"),
        codec: wanted("codec") as CodecName,
        idempotent: wanted("idempotent") === "true",
      });
    case "consume":
      return consume(driver, {
        bootstrap: wanted("bootstrap"),
        topics: wanted("topics").split(","),
        group: wanted("group"),
        commits: wanted("commit") === "asked",
        sessionTimeoutMs: Number(wanted("session-timeout-ms")),
        heartbeatMs: Number(wanted("heartbeat-ms")),
        assignor: values.assignor,
      });
    default:
      throw new TypeError("commands: version, produce, consume");
  }
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

async function consume(driver: ClientDriver, options: ConsumeOptions): Promise<void> {
  const member = await driver.consume(options, {
    assigned: (partitions) => tell({ event: "assigned", partitions }),
    revoked: (partitions) => tell({ event: "revoked", partitions }),
    record: (record) => tell({ event: "record", ...record }),
  });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "leave") break;
    if (line !== "commit") continue;
    if (options.commits) await member.commit();
    tell({ event: "committed" });
  }
  await member.leave();
  tell({ event: "left" });
}
