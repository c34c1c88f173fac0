import { type Files, hasCode } from "@karst/runtime";
import { dirname } from "node:path";
import { objectStoreError } from "../../errors.ts";
import { DURABLE_DIRECTORIES_MAX } from "../../limits.ts";
import { isRefusal } from "./failures.ts";
import type { Layout } from "./layout.ts";

/**
 * Which names in directories are durable.
 *
 * Invariants: a directory in `#durable` is durable with all above it, for the driver never removes one. Per directory at
 * most one sync runs and one waits; who asks is served by a sync that began afterwards. After a failed sync the kernel may
 * take the lost names for written, and a second sync would lie: the directory is in `#lost` and no sync of it succeeds
 * again in this instance.
 */
export class Directories {
  readonly #files: Files;
  readonly #root: string;
  readonly #temp: string;
  readonly #durable: Set<string> = new Set();
  readonly #running: Map<string, Promise<void>> = new Map();
  readonly #waiting: Map<string, Promise<void>> = new Map();
  readonly #lost: Map<string, unknown> = new Map();

  /** Both directories are durable when anything is asked. */
  constructor(files: Files, layout: Layout) {
    this.#files = files;
    this.#root = layout.objects;
    this.#temp = layout.temp;
  }

  /** Makes a directory of objects exist durably. */
  async ensure(directory: string): Promise<void> {
    if (directory === this.#root || this.#durable.has(directory)) return;
    const parent = dirname(directory);
    await this.ensure(parent);
    await this.#files.makeDirectory(directory);
    // Also where it was there already: another process may have made it and not synced it yet.
    await this.sync(parent);
    if (this.#durable.size >= DURABLE_DIRECTORIES_MAX) this.#durable.clear();
    this.#durable.add(directory);
  }

  /** After directories were found missing: somebody else removed them. */
  forget(): void {
    this.#durable.clear();
  }

  /**
   * Resolves when the names in a directory of objects are durable, also those that a rename put there: it is durable when both
   * of its directories have been synced.
   */
  async syncRenames(directory: string): Promise<void> {
    await Promise.all([this.sync(directory), this.sync(this.#temp)]);
  }

  /** Resolves when all that was linked, made or removed in the directory by the time of the call is durable. */
  sync(directory: string): Promise<void> {
    const waiting = this.#waiting.get(directory);
    if (waiting !== undefined) return waiting;
    const running = this.#running.get(directory);
    if (running === undefined) return this.#begin(directory);
    const begin = (): Promise<void> => {
      this.#waiting.delete(directory);
      return this.#begin(directory);
    };
    const next = running.then(begin, begin);
    this.#waiting.set(directory, next);
    return next;
  }

  #begin(directory: string): Promise<void> {
    const running = this.#sync(directory).finally(() => this.#running.delete(directory));
    this.#running.set(directory, running);
    return running;
  }

  async #sync(directory: string): Promise<void> {
    if (this.#lost.has(directory)) {
      const message = `an earlier sync of ${directory} failed: what was written there may be lost; open the store anew`;
      throw objectStoreError("STORE_FAILED", message, this.#lost.get(directory));
    }
    try {
      await this.#files.syncDirectory(directory);
    } catch (error) {
      if (!isRefusal(error)) this.#lost.set(directory, error);
      if (hasCode(error, "FILE_NOT_FOUND")) this.forget();
      throw error;
    }
  }
}
