import { assert } from "./errors.ts";
import { SLAB_BYTES } from "./limits.ts";
import type { MemoryBudget } from "./memory-budget.ts";

/** What a returned slab is filled with under `poison`: a view that outlived its reference shows it at once. */
export const POISON_BYTE = 0xdb;

/**
 * A fixed piece of shared memory that holds record data. The WAL writes from it, uploads, tail reads and sockets borrow
 * views of it; it goes back to its pool when the last reference is released.
 */
export class Slab {
  /** All of the slab. Backed by a `SharedArrayBuffer`, so that the WAL's thread writes from it without a copy. */
  readonly bytes: Uint8Array;
  readonly #recycle: (slab: Slab) => void;
  #references = 1;

  constructor(bytes: Uint8Array, recycle: (slab: Slab) => void) {
    this.bytes = bytes;
    this.#recycle = recycle;
  }

  get references(): number {
    return this.#references;
  }

  /** One more holder; each must `release` once. Only a holder may call it. */
  retain(): void {
    assert(this.#references > 0, "retained a slab that nobody holds");
    this.#references += 1;
  }

  release(): void {
    assert(this.#references > 0, "released a slab that nobody holds");
    this.#references -= 1;
    if (this.#references === 0) this.#recycle(this);
  }

  /** For the pool alone: makes a recycled slab held again. */
  reissue(): void {
    assert(this.#references === 0, "reissued a slab that is held");
    this.#references = 1;
  }
}

/**
 * Slabs of one size, recycled. A larger request gets a slab of exactly its size, which is dropped on return.
 *
 * Invariant: the budget holds the bytes of every slab that is held; idle ones are not counted and are at most `idleMax`.
 */
export class SlabPool {
  readonly slabBytes: number;
  readonly #budget: MemoryBudget;
  readonly #poison: boolean;
  readonly #idleMax: number;
  readonly #idle: Slab[] = [];

  constructor(options: {
    readonly budget: MemoryBudget;
    readonly slabBytes?: number;
    /** Slabs kept for reuse. */
    readonly idleMax?: number;
    /** Overwrite returned slabs (tests). */
    readonly poison?: boolean;
  }) {
    this.#budget = options.budget;
    this.slabBytes = options.slabBytes ?? SLAB_BYTES;
    this.#idleMax = options.idleMax ?? 16;
    this.#poison = options.poison ?? false;
  }

  /**
   * A slab of at least `bytesMin`, held once; its content is arbitrary.
   *
   * @throws KarstError `MEMORY_BUDGET_EXCEEDED` (`unavailable`).
   */
  acquire(bytesMin: number): Slab {
    const bytes = Math.max(bytesMin, this.slabBytes);
    this.#budget.reserve(bytes, "slab pool");
    const idle = bytes === this.slabBytes ? this.#idle.pop() : undefined;
    if (idle !== undefined) {
      idle.reissue();
      return idle;
    }
    return new Slab(new Uint8Array(new SharedArrayBuffer(bytes)), (slab) => this.#recycle(slab));
  }

  #recycle(slab: Slab): void {
    this.#budget.release(slab.bytes.length);
    if (this.#poison) slab.bytes.fill(POISON_BYTE);
    if (slab.bytes.length === this.slabBytes && this.#idle.length < this.#idleMax)
      this.#idle.push(slab);
  }
}
