import { assert, type MemoryBudget, runtimeError } from "@karst/runtime";
import { abortable } from "./abortable.ts";

/** A cached value that cannot be evicted until the lease is released, once. */
export interface Lease<V> {
  readonly value: V;
  release(): void;
}

interface Entry<V> {
  readonly key: string;
  readonly bytes: number;
  readonly loaded: Promise<V>;
  leases: number;
  settled: boolean;
  /** No longer in the map: its bytes go with the last lease. */
  dropped: boolean;
}

/**
 * Values read from objects, least recently used first out. One load per key at a time, for all who wait; a failed one is not kept.
 *
 * Invariants: usedBytes = the bytes of all entries, each reserved from the memory budget *before* its load begins;
 * usedBytes ≤ bytesMax, but for one entry that is larger alone. Entries with leases are never evicted.
 */
export class LeaseCache<V> {
  readonly #memory: MemoryBudget;
  readonly #bytesMax: number;
  readonly #holder: string;
  readonly #entries = new Map<string, Entry<V>>();
  #usedBytes = 0;

  constructor(options: {
    readonly memory: MemoryBudget;
    readonly bytesMax: number;
    readonly holder: string;
  }) {
    this.#memory = options.memory;
    this.#bytesMax = options.bytesMax;
    this.#holder = options.holder;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * The value under `key`, loaded if it is not there. Aborting one waiter does not end the load for others.
   *
   * @param bytes what the value will hold in memory.
   * @throws KarstError `MEMORY_BUDGET_EXCEEDED` (`unavailable`), before anything is loaded; whatever `load` rejects with.
   */
  async acquire(
    key: string,
    bytes: number,
    load: () => Promise<V>,
    signal?: AbortSignal,
  ): Promise<Lease<V>> {
    signal?.throwIfAborted();
    const entry = this.#entries.get(key) ?? this.#start(key, bytes, load);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.leases += 1;
    try {
      const value = await abortable(entry.loaded, signal);
      return new CacheLease(value, () => this.#release(entry));
    } catch (error) {
      this.#release(entry);
      throw error;
    }
  }

  /** Begins a load that nobody waits for yet, unless the entry is there or memory is short. Its failure is left to whoever asks again. */
  prefetch(key: string, bytes: number, load: () => Promise<V>): boolean {
    if (this.#entries.has(key)) return true;
    if (!this.#fits(bytes, "ahead")) return false;
    this.#start(key, bytes, load);
    return true;
  }

  /** Evicts the least recently used entry without leases; false: there is none. */
  evict(): boolean {
    for (const entry of this.#entries.values()) {
      if (entry.leases > 0 || !entry.settled) continue;
      this.#drop(entry);
      return true;
    }
    return false;
  }

  /** Forgets everything; what is leased gives its bytes back with its last lease. */
  clear(): void {
    for (const entry of this.#entries.values()) this.#drop(entry);
  }

  #start(key: string, bytes: number, load: () => Promise<V>): Entry<V> {
    if (!this.#fits(bytes, "wanted")) {
      throw runtimeError(
        "MEMORY_BUDGET_EXCEEDED",
        `${this.#holder} needs ${bytes} bytes, and nothing that is held can be given up`,
      );
    }
    this.#memory.reserve(bytes, this.#holder);
    this.#usedBytes += bytes;
    const entry: Entry<V> = {
      key,
      bytes,
      loaded: load(),
      leases: 0,
      settled: false,
      dropped: false,
    };
    this.#entries.set(key, entry);
    entry.loaded.then(
      () => this.#settle(entry),
      () => {
        this.#settle(entry);
        this.#drop(entry);
      },
    );
    return entry;
  }

  /** Makes room for `bytes` by evicting; whether there is room now. What is only read ahead drives nothing of others out. */
  #fits(bytes: number, what: "wanted" | "ahead"): boolean {
    while (this.#usedBytes > 0 && this.#usedBytes + bytes > this.#bytesMax) {
      if (!this.evict()) return false;
    }
    while (this.#memory.freeBytes < bytes) {
      if (!this.evict()) return what === "wanted" && this.#memory.makeRoom(bytes);
    }
    return true;
  }

  #settle(entry: Entry<V>): void {
    entry.settled = true;
    this.#freeIfUnused(entry);
  }

  #release(entry: Entry<V>): void {
    entry.leases -= 1;
    this.#freeIfUnused(entry);
  }

  #drop(entry: Entry<V>): void {
    if (entry.dropped) return;
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    entry.dropped = true;
    this.#freeIfUnused(entry);
  }

  #freeIfUnused(entry: Entry<V>): void {
    if (!entry.dropped || !entry.settled || entry.leases > 0) return;
    this.#usedBytes -= entry.bytes;
    this.#memory.release(entry.bytes);
  }
}

class CacheLease<V> implements Lease<V> {
  readonly value: V;
  #release: (() => void) | undefined;

  constructor(value: V, release: () => void) {
    this.value = value;
    this.#release = release;
  }

  release(): void {
    const release = this.#release;
    assert(release !== undefined, "released a lease twice");
    this.#release = undefined;
    release();
  }
}
