import { isKarstError, MemoryBudget, SlabPool } from "@karst/runtime";
import type { Wal } from "@karst/wal";
import { frameOf } from "./frames.ts";
import type { History } from "./history.ts";

const BUDGET_BYTES = 256 * 1024;

/** What an owner may be told that has done nothing wrong. */
const REFUSALS: ReadonlySet<string> = new Set([
  "WAL_FULL",
  "WAL_BACKLOG_FULL",
  "WAL_FAILED",
  "WAL_FENCED",
  "WAL_CLOSED",
  "MEMORY_BUDGET_EXCEEDED",
]);

/** One opener of the WAL, from its claim to its end. */
export class WalProcess {
  readonly number: number;
  readonly budget: MemoryBudget = new MemoryBudget(BUDGET_BYTES);
  readonly slabs: SlabPool;
  wal: Wal | undefined;
  history: History | undefined;
  /** Up to where it was told that its appends are durable. */
  reported = 0;
  failure: Error | undefined;
  /** Flushes that have neither resolved nor rejected. */
  pending = 0;
  /** A later process has opened the WAL. */
  superseded = false;

  constructor(number: number, slabBytes: number) {
    this.number = number;
    this.slabs = new SlabPool({ budget: this.budget, slabBytes, poison: true });
  }

  /** Appends, and spoils the bytes that were given right after; returns why it was refused. */
  append(id: number, bytes: number): string | undefined {
    const { wal, history } = this;
    if (wal === undefined || history === undefined) return "WAL_CLOSED";
    const frame = frameOf(id, bytes);
    try {
      const { start, end, slab } = wal.append(frame);
      slab.release();
      history.entries.push({ id, start, end });
    } catch (error) {
      if (!isKarstError(error) || !REFUSALS.has(error.code)) throw error;
      return error.code;
    } finally {
      frame.payload.fill(0xee);
    }
    this.pending += 1;
    const settled = (): void => {
      this.pending -= 1;
    };
    wal.flush().then(settled, settled);
    return undefined;
  }
}
