import type { SlabPool } from "@karst/runtime";
import type { WalLimits } from "../limits.ts";
import type { WalFactory } from "../wal.ts";

/** Registers a test: vitest's and `node:test`'s both fit. */
export type TestFunction = (name: string, body: () => Promise<void>) => unknown;

/** One process that has a WAL: how it claims, and where its frames are kept. */
export interface WalProcess {
  readonly factory: WalFactory;
  /** For this process alone; the suite checks that everything was given back. */
  readonly slabs: SlabPool;
  /** Bytes that the pool has handed out and not got back. */
  heldBytes(): number;
}

/**
 * A fresh, empty place for a WAL, and processes over it. What a driver cannot do it leaves out; the tests that need it are not
 * registered for it, so the same members must be there for every place that one `create` makes.
 */
export interface WalPlace {
  /** The first process; call once. */
  start(): WalProcess;
  /** Lets `ms` pass for everything that runs on the place's clock. */
  advance(ms: number): Promise<void>;
  /** Removes the place. */
  dispose(): Promise<void>;
}

/** What a driver's places can be made to do. */
export interface WalCapabilities {
  /** Ends the process without a word, the system goes on: the next process. */
  readonly kill?: (place: WalPlace) => WalProcess;
  /** Power is lost; of what was not synced, anything may survive: the next process. */
  readonly crash?: (place: WalPlace) => WalProcess;
  /** A further process beside those that live, which takes them for dead. */
  readonly rival?: (place: WalPlace) => WalProcess;
  /** A further process beside those that live, which can see that they do. */
  readonly neighbour?: (place: WalPlace) => WalProcess;
  /** The next sync of a segment fails; what it covered may be lost. */
  readonly failNextSync?: (place: WalPlace) => void;
  /** From now on no file can grow, or can again. */
  readonly setFull?: (place: WalPlace, full: boolean) => void;
  /** Writes so far. */
  readonly writes?: (place: WalPlace) => number;
  /** Bytes that the place takes. */
  readonly storedBytes?: (place: WalPlace) => number;
}

export interface WalConformanceOptions {
  readonly test: TestFunction;
  /** An empty place whose WALs have these limits. */
  readonly create: (limits: Partial<WalLimits>) => Promise<WalPlace>;
  readonly capabilities?: WalCapabilities;
}
