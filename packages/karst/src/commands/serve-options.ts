import type { EngineLimits, RootOptions } from "../api/engine.ts";
import { karstError } from "../errors.ts";
import { suggestion } from "../nearest.ts";
import { parseOptions } from "./arguments.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export interface ServeOptions {
  readonly listen: Address;
  /** Default: where it listens. */
  readonly advertised: Address | undefined;
  readonly open: Omit<RootOptions, "runtime">;
  /** How long the first members of a group are waited for. Default: the broker's. */
  readonly groupInitialRebalanceDelayMs: number | undefined;
  readonly log: (typeof LOG_LEVELS)[number];
  readonly help: boolean;
}

const OPTIONS = {
  port: "value",
  host: "value",
  advertised: "value",
  data: "value",
  root: "value",
  wal: "value",
  "abandon-wal": "value",
  limit: "values",
  "group-initial-rebalance-delay-ms": "value",
  log: "value",
  help: "flag",
} as const;

const DEFAULT_PORT = 9092;
const DEFAULT_DATA = "./karst-data";
/** A day: who waits longer for the first members of a group has mistaken the unit. */
const REBALANCE_DELAY_MS_MAX = 86_400_000;
const EVERY_INTERFACE = ["0.0.0.0", "::", ""];

/** @throws KarstError `INVALID_OPTIONS` (`invalid`): a sentence that names the option, and what it should be. */
export function serveOptions(args: readonly string[]): ServeOptions {
  const given = parseOptions(args, OPTIONS);
  if (given.data !== undefined && given.root !== undefined) {
    throw invalid(
      `--data ${given.data} and --root ${given.root} contradict each other: --data DIR is short for --root file:DIR`,
    );
  }
  const listen = {
    host: given.host ?? "127.0.0.1",
    port: portOf("--port", given.port ?? String(DEFAULT_PORT)),
  };
  const advertised =
    given.advertised === undefined ? undefined : advertisedOf(given.advertised, listen.port);
  if (advertised === undefined && EVERY_INTERFACE.includes(listen.host)) {
    throw invalid(
      `--host ${listen.host} is no address that clients can connect to: name one with --advertised HOST[:PORT]`,
    );
  }
  return {
    listen,
    advertised,
    open: {
      root: given.root ?? `file:${dataDirectory(given.data)}`,
      ...(given.wal === undefined ? {} : { wal: given.wal }),
      ...(given["abandon-wal"] === undefined ? {} : { abandonWal: given["abandon-wal"] }),
      ...(given.limit === undefined ? {} : { limits: limitsOf(given.limit) }),
    },
    groupInitialRebalanceDelayMs: rebalanceDelayOf(given["group-initial-rebalance-delay-ms"]),
    log: logLevel(given.log ?? "info"),
    help: given.help === true,
  };
}

function dataDirectory(data: string | undefined): string {
  if (data === undefined) return DEFAULT_DATA;
  if (data === "") throw invalid("--data names no directory");
  if (/^(file|memory|s3|minio):/.test(data)) {
    throw invalid(`--data takes a directory: did you mean --root ${data}?`);
  }
  return data;
}

function portOf(option: string, text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw invalid(`${option} ${text} is no port: give a number from 0 (any that is free) to 65535`);
}

function advertisedOf(text: string, listenPort: number): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::([^:]+))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw invalid(`--advertised ${text} is not HOST or HOST:PORT`);
  return { host, port: match?.[3] === undefined ? listenPort : portOf("--advertised", match[3]) };
}

function limitsOf(given: readonly string[]): Partial<EngineLimits> {
  const limits: Record<string, number> = {};
  for (const text of given) {
    const match = /^([A-Za-z]+)=(\d+)$/.exec(text);
    if (match === null) {
      throw invalid(`--limit ${text} is not NAME=NUMBER, such as uploadBytes=16777216`);
    }
    limits[match[1] as string] = Number(match[2]);
  }
  // The names are checked where an engine is opened, as those of a program are.
  return limits;
}

function rebalanceDelayOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const delayMs = Number(text);
  if (/^\d+$/.test(text) && delayMs <= REBALANCE_DELAY_MS_MAX) return delayMs;
  throw invalid(
    `--group-initial-rebalance-delay-ms ${text} is no delay: give milliseconds from 0 to ${REBALANCE_DELAY_MS_MAX}`,
  );
}

function logLevel(text: string): ServeOptions["log"] {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw invalid(`--log ${text} is no level${suggestion(text, LOG_LEVELS)}`);
}

function invalid(message: string): Error {
  return karstError("INVALID_OPTIONS", message);
}
