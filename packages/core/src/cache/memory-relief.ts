import type { MemoryBudget } from "@karst/runtime";
import type { Evictable } from "./lease-cache.ts";

/**
 * Makes room in the memory budget for what may not wait, at the cost of what is kept only because it may be read again: first
 * the blocks read back, then the uploaded part of the log cache, oldest first.
 */
export class MemoryRelief {
  readonly #memory: MemoryBudget;
  readonly #evictable: readonly Evictable[];

  constructor(memory: MemoryBudget, evictable: readonly Evictable[]) {
    this.#memory = memory;
    this.#evictable = evictable;
  }

  /** Whether `bytes` are free, after evicting what was needed. Reserves nothing. */
  makeRoom(bytes: number): boolean {
    while (this.#memory.freeBytes < bytes) {
      if (!this.evict()) return false;
    }
    return true;
  }

  /** Evicts one thing; false: there is nothing. */
  evict(): boolean {
    return this.#evictable.some((cache) => cache.evict());
  }
}
