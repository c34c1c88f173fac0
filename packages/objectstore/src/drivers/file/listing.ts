import { type DirectoryEntry, type Files, hasCode } from "@karst/runtime";
import { endsBefore } from "../../key.ts";
import { LIST_PAGE_ENTRIES } from "../../limits.ts";
import type { ObjectInfo } from "../../object-store.ts";
import { type Layout, listedOf } from "./layout.ts";
import type { Reader } from "./reader.ts";

/** One step of a listing: runs inside the store, so that a closed store takes no step more. */
export type Step = <T>(step: () => Promise<T>) => Promise<T>;

/**
 * The objects below a prefix, in key order, directory by directory: one is read when its turn comes.
 *
 * Invariant: of a directory being walked at most `LIST_PAGE_ENTRIES` objects are looked up ahead.
 */
export class Listing {
  readonly #files: Files;
  readonly #layout: Layout;
  readonly #prefix: string;
  readonly #startAfter: string;
  readonly #step: Step;
  readonly #reader: Reader;

  constructor(options: {
    readonly files: Files;
    readonly layout: Layout;
    readonly prefix: string;
    readonly startAfter: string;
    readonly step: Step;
    readonly reader: Reader;
  }) {
    this.#files = options.files;
    this.#layout = options.layout;
    this.#prefix = options.prefix;
    this.#startAfter = options.startAfter;
    this.#step = options.step;
    this.#reader = options.reader;
  }

  entries(): AsyncGenerator<ObjectInfo, void, undefined> {
    return this.#below(this.#prefix.slice(0, this.#prefix.lastIndexOf("/") + 1));
  }

  /** @param start the beginning of all keys in a directory: empty, or ending in a slash. */
  async *#below(start: string): AsyncGenerator<ObjectInfo, void, undefined> {
    const directory = this.#layout.directoryOf(start);
    const listed = listedOf(await this.#step(() => this.#read(directory)));
    let names: string[] = [];
    for (const { tag, name } of listed) {
      const key = start + name;
      if (tag === "object") {
        if (key.startsWith(this.#prefix) && key > this.#startAfter) names.push(key);
        if (names.length < LIST_PAGE_ENTRIES) continue;
      } else if (!this.#mayHold(key)) continue;
      yield* await this.#page(directory, names);
      names = [];
      if (tag === "below") yield* this.#below(key);
    }
    yield* await this.#page(directory, names);
  }

  #mayHold(start: string): boolean {
    return (
      (start.startsWith(this.#prefix) || this.#prefix.startsWith(start)) &&
      !endsBefore(start, this.#startAfter)
    );
  }

  async #page(directory: string, keys: readonly string[]): Promise<readonly ObjectInfo[]> {
    return keys.length === 0 ? [] : this.#step(() => this.#reader.look(directory, keys));
  }

  async #read(directory: string): Promise<readonly DirectoryEntry[]> {
    try {
      return await this.#files.list(directory);
    } catch (error) {
      if (hasCode(error, "FILE_NOT_FOUND")) return [];
      throw error;
    }
  }
}
