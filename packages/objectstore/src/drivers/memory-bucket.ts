/** An object at rest. `bytes` is never modified and never leaves the driver. */
export interface MemoryObject {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/**
 * Objects that several memory stores share, as nodes share a bucket.
 *
 * Invariants: `#keys` holds the keys of `#objects`, sorted; an etag is never given twice.
 */
export class MemoryBucket {
  readonly #objects: Map<string, MemoryObject> = new Map();
  readonly #keys: string[] = [];
  #writes = 0;

  get size(): number {
    return this.#keys.length;
  }

  get(key: string): MemoryObject | undefined {
    return this.#objects.get(key);
  }

  /** @param bytes owned by the bucket from now on. */
  set(key: string, bytes: Uint8Array): void {
    this.#writes += 1;
    if (!this.#objects.has(key)) this.#keys.splice(this.#indexOf(key), 0, key);
    this.#objects.set(key, { bytes, etag: `m${this.#writes}` });
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#keys.splice(this.#indexOf(key), 1);
  }

  /** At most `limit` keys that begin with `prefix` and come after `after`, in order. */
  keys(prefix: string, after: string, limit: number): readonly string[] {
    let from = this.#indexOf(prefix > after ? prefix : after);
    if (this.#keys[from] === after) from += 1;
    const found: string[] = [];
    for (let i = from; i < this.#keys.length && found.length < limit; i += 1) {
      const key = this.#keys[i] as string;
      if (!key.startsWith(prefix)) break;
      found.push(key);
    }
    return found;
  }

  /** Where `key` is, or would be. */
  #indexOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
