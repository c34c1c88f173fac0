import { hasCode } from "@karst/runtime";
import { NAMES_AT_ONCE } from "../../limits.ts";
import { isRefusal, unknownOutcome } from "./failures.ts";
import type { Names } from "./names.ts";

/** Removes objects, durably. Their directories stay: one that is never removed is safe to name a new object in at any time. */
export class Remover {
  readonly #names: Names;

  constructor(names: Names) {
    this.#names = names;
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#names.keys.beginChange(key);
    try {
      await this.#remove(keys);
    } finally {
      for (const key of keys) this.#names.keys.endChange(key, { tag: "unsure" });
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
      const directories = new Set(keys.map((key) => this.#names.layout.directoryOf(key)));
      await Promise.all([...directories].map((directory) => this.#syncIfThere(directory)));
    } catch (error) {
      throw touched
        ? unknownOutcome(error, `some of ${keys.length} objects may have been deleted`)
        : error;
    }
  }

  async #unlink(key: string): Promise<void> {
    try {
      await this.#names.files.remove(this.#names.layout.objectPath(key));
    } catch (error) {
      if (!hasCode(error, "FILE_NOT_FOUND")) throw error;
    }
  }

  async #syncIfThere(directory: string): Promise<void> {
    try {
      await this.#names.directories.sync(directory);
    } catch (error) {
      if (!hasCode(error, "FILE_NOT_FOUND")) throw error;
    }
  }
}
