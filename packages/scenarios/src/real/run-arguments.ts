import { parseArgs } from "node:util";
import { appendProof, type ProofCounts } from "../proof/ledger.ts";
import { writeResult } from "../proof/results.ts";

const SEED_MAX = 2 ** 31;

export interface RunArguments {
  readonly count: number;
  readonly seed: number;
  /** Leaves nothing in docs/. */
  readonly dry: boolean;
}

/**
 * Of a verification: `--<countName> N`, `--seed N`, `--dry`.
 *
 * @throws TypeError on anything else.
 */
export function runArguments(countName: string, countDefault: number): RunArguments {
  const { values } = parseArgs({
    options: {
      [countName]: { type: "string", default: String(countDefault) },
      seed: { type: "string", default: String(Math.floor(Math.random() * SEED_MAX)) },
      dry: { type: "boolean", default: false },
    },
  });
  const numberOf = (name: string): number => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new TypeError(`--${name} takes a whole number, not ${String(values[name])}`);
    return value;
  };
  return { count: numberOf(countName), seed: numberOf("seed"), dry: values["dry"] === true };
}

export interface Outcome {
  readonly part: string;
  readonly seed: number;
  readonly seconds: number;
  /** For the ledger. */
  readonly counts: ProofCounts;
  /** For docs/results alone. */
  readonly details: object;
}

/** Prints what a run has done; unless `dry`, into docs/results/<part>.json and the ledger too. */
export function publish({ part, seed, seconds, counts, details }: Outcome, dry: boolean): void {
  const result = { seed, seconds: Math.round(seconds), ...counts, ...details };
  console.log(JSON.stringify(result, undefined, 2));
  if (dry) return;
  writeResult(part, result);
  appendProof(part, { seed, ...counts, seconds });
}
