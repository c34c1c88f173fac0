import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isKarstError } from "@karst/runtime";
import { Seeded } from "../seeded.ts";
import { coreTargets } from "./core-targets.ts";
import { kafkaTargets } from "./kafka-targets.ts";
import { mutate } from "./mutate.ts";
import { recordsTargets } from "./records-targets.ts";
import type { Target } from "./target.ts";
import { walTargets } from "./wal-targets.ts";

export const TARGETS: readonly Target[] = [
  ...recordsTargets,
  ...walTargets,
  ...coreTargets,
  ...kafkaTargets,
];

/** Inputs for one target in a row. */
const ROUND = 64;
/** Accepted mutants of a target kept to be changed further. */
const KEPT_MAX = 16;
/** Longest time that one input of at most 8 KiB may take, on a machine that has other things to do. */
const DECODE_MS_MAX = 2_000;
/** What a round may allocate: inputs are small, and so must be what comes of them. */
const ROUND_BYTES_MAX = 256 * 1024 * 1024;
/** What decoding may leave behind, in all: compiled decoders, and the inputs kept here. */
const GROWTH_BYTES_MAX = 256 * 1024 * 1024;

export interface FuzzReport {
  readonly executions: number;
  /** Inputs that were decoded; the others were refused as they should be. */
  readonly accepted: number;
  readonly seconds: number;
  readonly byTarget: Readonly<
    Record<string, { readonly executions: number; readonly accepted: number }>
  >;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly executions: number;
  /** Ends the run early. */
  readonly secondsMax?: number;
  /** Names that contain this. Default: all. */
  readonly only?: string;
  readonly onProgress?: (executions: number) => void;
}

/** Gives decoders damaged inputs. @throws Error with the input, at the first thing that is neither a value nor a documented error. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const random = new Seeded(options.seed);
  const targets = TARGETS.filter(({ name }) => name.includes(options.only ?? ""));
  const kept = new Map<Target, Uint8Array[]>();
  const tally = new Map<string, { executions: number; accepted: number }>();
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  collectGarbage();
  const bytesAtStart = heldBytes();
  const stackTraceLimit = Error.stackTraceLimit;
  let executions = 0;
  try {
    // Nearly every input is refused, and a stack costs more than a decoder.
    Error.stackTraceLimit = 0;
    for (let round = 0; executions < options.executions; round += 1) {
      const target = targets[round % targets.length] as Target;
      const pool = kept.get(target) ?? [];
      kept.set(target, pool);
      const counts = tally.get(target.name) ?? { executions: 0, accepted: 0 };
      tally.set(target.name, counts);
      const before = heldBytes();
      for (let n = 0; n < ROUND; n += 1) {
        const input = next(target, pool, random);
        executions += 1;
        counts.executions += 1;
        if (!execute(target, input, `seed ${options.seed}, execution ${executions}`)) continue;
        counts.accepted += 1;
        if (pool.length < KEPT_MAX) pool.push(input);
        else pool[random.integer(0, KEPT_MAX - 1)] = input;
      }
      const allocated = heldBytes() - before;
      if (allocated > ROUND_BYTES_MAX)
        throw new Error(
          `${target.name} (seed ${options.seed}, execution ${executions}): ${ROUND} inputs took ${allocated} bytes`,
        );
      // What zlib refuses it frees in a later turn.
      if (round % 16 === 15) await nextTurn();
      if (round % 1024 !== 1023) continue;
      collectGarbage();
      const grown = heldBytes() - bytesAtStart;
      if (grown > GROWTH_BYTES_MAX) throw new Error(`decoding has left ${grown} bytes behind`);
      options.onProgress?.(executions);
      if (seconds() > (options.secondsMax ?? Infinity)) break;
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return {
    executions,
    accepted: [...tally.values()].reduce((sum, { accepted }) => sum + accepted, 0),
    seconds: seconds(),
    byTarget: Object.fromEntries(tally),
  };
}

function next(target: Target, pool: readonly Uint8Array[], random: Seeded): Uint8Array {
  const draw = (): Uint8Array => {
    const from = pool.length > 0 && random.fraction() < 0.4 ? pool : target.samples;
    return from[random.integer(0, from.length - 1)] as Uint8Array;
  };
  const input = mutate(draw(), draw(), random);
  if (target.reseal !== undefined && random.fraction() < 0.8) target.reseal(input);
  return input;
}

/** Whether the input was accepted. */
function execute(target: Target, input: Uint8Array, where: string): boolean {
  const started = performance.now();
  let accepted = true;
  try {
    target.decode(input);
  } catch (error) {
    accepted = false;
    if (!isKarstError(error, "corrupt", "invalid")) throw defect(target, input, where, error);
  }
  const ms = performance.now() - started;
  if (ms > DECODE_MS_MAX) throw defect(target, input, where, new Error(`it took ${ms} ms`));
  return accepted;
}

/** Says all that is needed to see it again. */
function defect(target: Target, input: Uint8Array, where: string, cause: unknown): Error {
  Error.stackTraceLimit = 20;
  let reason: unknown = cause;
  try {
    target.decode(input);
  } catch (error) {
    reason = error;
  }
  const stack = reason instanceof Error ? reason.stack : String(reason);
  const hex = Buffer.from(input).toString("hex");
  return new Error(`${target.name} (${where}): ${stack}\ninput: ${hex}`, { cause });
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
