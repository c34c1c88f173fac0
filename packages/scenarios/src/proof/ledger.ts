import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What one run has done for the proof. Absent: it is not about that. */
export interface ProofCounts {
  /** Of simulated worlds. */
  readonly seeds?: number;
  /** Only hours with at least 50 acknowledged operations per simulated second and a fault per simulated minute. */
  readonly simulatedHours?: number;
  /** Distinct hashes of the durable bytes that crashes left, each opened again and checked. */
  readonly crashStates?: number;
  /** Real processes ended by SIGKILL, and those of them that had appends in flight. */
  readonly kills?: number;
  readonly killsInFlight?: number;
  /** Copies of a mounted file system's image, taken while it was written, mounted and recovered. */
  readonly powerCuts?: number;
  /** Appends, reads, trims and failures compared with what they must be. */
  readonly checkedOperations?: number;
  /** Inputs given to decoders. */
  readonly fuzzExecutions?: number;
  readonly mutants?: number;
  readonly mutantsCaught?: number;
}

/** One line of docs/reliability-ledger.jsonl. */
export interface ProofRow extends ProofCounts {
  /** Day, `YYYY-MM-DD`. */
  readonly at: string;
  readonly commit: string;
  readonly node: string;
  /** What ran: `simulation/log`, `kills`, … */
  readonly part: string;
  readonly seconds: number;
  /** Of runs that draw: rows of one part and seed tell of the same states, and count once. */
  readonly seed?: number;
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "..");
export const LEDGER: string = join(root, "docs", "reliability-ledger.jsonl");

/** Appends a line. */
export function appendProof(
  part: string,
  run: ProofCounts & { readonly seconds: number; readonly seed?: number },
): void {
  const row: ProofRow = {
    at: new Date().toISOString().slice(0, 10),
    commit: execFileSync("git", ["rev-parse", "--short=12", "HEAD"], {
      cwd: root,
      encoding: "utf8",
    }).trim(),
    node: process.versions.node,
    part,
    ...run,
    seconds: Math.round(run.seconds),
  };
  appendFileSync(LEDGER, `${JSON.stringify(row)}\n`);
}

export function readLedger(): readonly ProofRow[] {
  if (!existsSync(LEDGER)) return [];
  return readFileSync(LEDGER, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ProofRow);
}

export type Totals = Required<ProofCounts>;

/**
 * Sums of all rows. Runs of one part and seed count once, with what the last of them did; of mutants, the last whole run counts.
 */
export function totalsOf(rows: readonly ProofRow[]): Totals {
  const last = new Map<string, ProofRow>();
  for (const [i, row] of rows.entries()) last.set(`${row.part} ${row.seed ?? `row ${i}`}`, row);
  const sum = (key: keyof ProofCounts): number =>
    [...last.values()].reduce((total, row) => total + (row[key] ?? 0), 0);
  const mutants = rows.findLast((row) => row.mutants !== undefined);
  return {
    seeds: sum("seeds"),
    simulatedHours: Math.floor(sum("simulatedHours") * 10) / 10,
    crashStates: sum("crashStates"),
    kills: sum("kills"),
    killsInFlight: sum("killsInFlight"),
    powerCuts: sum("powerCuts"),
    checkedOperations: sum("checkedOperations"),
    fuzzExecutions: sum("fuzzExecutions"),
    mutants: mutants?.mutants ?? 0,
    mutantsCaught: mutants?.mutantsCaught ?? 0,
  };
}
