import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { askWorker } from "../ask-worker.ts";
import { WAL_LABELS } from "../../../testing/dist/wal/labels.js";

/** What a worker tells of one seed. */
export type SeedMessage =
  | {
      readonly tag: "done";
      readonly seed: number;
      /** As 64-bit floats in base64. */
      readonly states: string;
      readonly checkedOperations: number;
      readonly faults: number;
      readonly sometimes: Readonly<Record<string, number>>;
      readonly invariants: Readonly<Record<string, number>>;
    }
  | { readonly tag: "failed"; readonly seed: number; readonly text: string };

/** Seeds at most, should states become rare. */
const SEEDS_MAX = 1_000_000;

/**
 * Seeds of the WAL's worlds, one after the other over all cores, until their states are enough.
 *
 * Invariant: `#states` holds each state once, whichever seeds came to it.
 */
export class CrashStateRun {
  readonly #seed: number;
  readonly #wanted: number;
  readonly #states = new Set<number>();
  readonly #sometimes = new Map<string, number>();
  readonly #invariants = new Map<string, number>();
  readonly #started = performance.now();
  #next = 0;
  seeds = 0;
  checkedOperations = 0;
  faults = 0;

  constructor(options: { readonly seed: number; readonly states: number }) {
    this.#seed = options.seed;
    this.#wanted = options.states;
  }

  get states(): number {
    return this.#states.size;
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  get sometimes(): Readonly<Record<string, number>> {
    return sorted(this.#sometimes);
  }

  get invariants(): Readonly<Record<string, number>> {
    return sorted(this.#invariants);
  }

  /** What should happen now and then and never did. */
  get missing(): readonly string[] {
    return WAL_LABELS.filter((label) => (this.#sometimes.get(label) ?? 0) === 0);
  }

  toString(): string {
    const rate = Math.round(this.states / this.seconds);
    return `${this.states} of ${this.#wanted} states from ${this.seeds} seeds, ${rate} per second`;
  }

  /** Rejects with the first failure, which says how to see it again. */
  async finish(): Promise<void> {
    const entry = fileURLToPath(new URL("crash-state-worker.js", import.meta.url));
    const children = Array.from({ length: availableParallelism() }, () => fork(entry));
    try {
      await Promise.all(children.map((child) => this.#work(child)));
    } finally {
      for (const child of children) if (child.connected) child.disconnect();
    }
  }

  async #work(child: ChildProcess): Promise<void> {
    while (this.states < this.#wanted && this.#next < SEEDS_MAX) {
      const seed = this.#seed + this.#next++;
      const told = (await askWorker(child, seed, `seed ${seed}`)) as SeedMessage;
      if (told.tag === "failed") throw new Error(`seed ${told.seed}: ${told.text}`);
      this.#take(told);
    }
  }

  #take(told: Extract<SeedMessage, { readonly tag: "done" }>): void {
    this.seeds += 1;
    this.checkedOperations += told.checkedOperations;
    this.faults += told.faults;
    const bytes = Buffer.from(told.states, "base64");
    for (let at = 0; at < bytes.length; at += 8) this.#states.add(bytes.readDoubleLE(at));
    for (const [name, count] of Object.entries(told.sometimes))
      this.#sometimes.set(name, (this.#sometimes.get(name) ?? 0) + count);
    for (const [name, count] of Object.entries(told.invariants))
      this.#invariants.set(name, (this.#invariants.get(name) ?? 0) + count);
  }
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
