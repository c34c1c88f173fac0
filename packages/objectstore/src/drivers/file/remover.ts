import { type Files, hasCode } from "@karst/runtime";
import { NAMES_AT_ONCE } from "../../limits.ts";
import type { Directories } from "./directories.ts";
import type { DurableKeys } from "./durable-keys.ts";
import { isRefusal, unknownOutcome } from "./failures.ts";
import type { Layout } from "./layout.ts";

/** Removes objects, durably. Their directories stay: one that is never removed is safe to name a new object in at any time. */
export class Remover {
  readonly #files: Files;
  readonly #layout: Layout;
  readonly #directories: Directories;
  readonly #keys: DurableKeys;

  constructor(options: {
    readonly files: Files;
    readonly layout: Layout;
    readonly directories: Directories;
    readonly keys: DurableKeys;
  }) {
    this.#files = options.files;
    this.#layout = options.layout;
    this.#directories = options.directories;
    this.#keys = options.keys;
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#keys.beginChange(key);
    try {
      await this.#remove(keys);
    } finally {
      for (const key of keys) this.#keys.endChange(key, { tag: "unsure" });
    }
  }

  async #remove(keys: readonly string[]): Promise<void> {
    let touched = false;
    try {
      for (let at = 0; at < keys.length; at += NAMES_AT_ONCE) {
        const removals = await Promise.allSettled(
          keys.slice(at, at + NAMES_AT_ONCE).map((key) => this.#unlink(key)),
        );
        for (const removal of removals)
          touched ||= removal.status === "fulfilled" || !isRefusal(removal.reason);
        for (const removal of removals)
          if (removal.status === "rejected") throw removal.reason as Error;
      }
      // Also of keys without an object: it may be another's delete, or our own before an error, that is not durable yet.
      const directories = new Set(keys.map((key) => this.#layout.directoryOf(key)));
      await Promise.all([...directories].map((directory) => this.#syncIfThere(directory)));
    } catch (error) {
      throw touched
        ? unknownOutcome(error, `some of ${keys.length} objects may have been deleted`)
        : error;
    }
  }

  async #unlink(key: string): Promise<void> {
    try {
      await this.#files.remove(this.#layout.objectPath(key));
    } catch (error) {
      if (!hasCode(error, "FILE_NOT_FOUND")) throw error;
    }
  }

  async #syncIfThere(directory: string): Promise<void> {
    try {
      await this.#directories.sync(directory);
    } catch (error) {
      if (!hasCode(error, "FILE_NOT_FOUND")) throw error;
    }
  }
}
