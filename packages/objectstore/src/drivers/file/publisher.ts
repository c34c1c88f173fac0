import { hasCode } from "@karst/runtime";
import type { ChangeEnd } from "./durable-keys.ts";
import { isRefusal, unknownOutcome } from "./failures.ts";
import type { Names } from "./names.ts";
import type { Pieces, TempFile, TempFiles } from "./temp-files.ts";

/** Times that an object is named anew after its directory, or its temporary file, was found missing. */
const NAMING_TRIES = 2;

/**
 * Turns bytes into named, durable objects.
 *
 * Invariants: a file gets its name only when its bytes are durable, and all directories above it; a name is reported only
 * after a sync of its directory that began after it was made.
 */
export class Publisher {
  readonly #names: Names;
  readonly #temps: TempFiles;

  constructor(names: Names, temps: TempFiles) {
    this.#names = names;
    this.#temps = temps;
  }

  async putIfAbsent(
    key: string,
    pieces: Pieces,
    signal: AbortSignal | undefined,
  ): Promise<"created" | "exists"> {
    const temp = await this.#temps.write(pieces, { sync: true, signal });
    const directory = this.#names.layout.directoryOf(key);
    return this.#change(key, temp, async () => {
      const outcome = await this.#link(key, temp);
      if (outcome === "created") {
        await this.#linked(key, temp);
        return { outcome, end: { tag: "durable", bytes: temp.bytes } };
      }
      await this.#temps.remove(temp.path);
      // The winner may not have synced its name yet, and its answer is not ours to wait for.
      if (!this.#names.keys.hasName(key)) await this.#names.directories.syncRenames(directory);
      return { outcome, end: { tag: "unchanged" } };
    });
  }

  async put(key: string, pieces: Pieces, signal: AbortSignal | undefined): Promise<void> {
    const temp = await this.#temps.write(pieces, { sync: true, signal });
    await this.#change(key, temp, async () => {
      // Most keys are new, and a link needs one directory synced, where a rename needs two.
      if ((await this.#link(key, temp)) === "created") await this.#linked(key, temp);
      else {
        await this.#name(key, () =>
          this.#names.files.rename(temp.path, this.#names.layout.objectPath(key)),
        );
        await this.#sync(key, (directory) => this.#names.directories.syncRenames(directory));
      }
      return { outcome: undefined, end: { tag: "durable", bytes: temp.bytes } };
    });
  }

  /** Runs a change of a name, and keeps track of what is known of it. */
  async #change<T>(
    key: string,
    temp: TempFile,
    change: () => Promise<{ readonly outcome: T; readonly end: ChangeEnd }>,
  ): Promise<T> {
    let end: ChangeEnd = { tag: "unsure" };
    this.#names.keys.beginChange(key);
    try {
      const changed = await change();
      end = changed.end;
      return changed.outcome;
    } catch (error) {
      await this.#temps.remove(temp.path);
      throw error;
    } finally {
      this.#names.keys.endChange(key, end);
    }
  }

  async #link(key: string, temp: TempFile): Promise<"created" | "exists"> {
    try {
      await this.#name(key, () =>
        this.#names.files.link(temp.path, this.#names.layout.objectPath(key)),
      );
      return "created";
    } catch (error) {
      if (hasCode(error, "FILE_EXISTS")) return "exists";
      throw error;
    }
  }

  /** After a link: the name is made durable, and the other name goes. */
  async #linked(key: string, temp: TempFile): Promise<void> {
    await Promise.all([
      this.#sync(key, (directory) => this.#names.directories.sync(directory)),
      this.#temps.remove(temp.path),
    ]);
  }

  /** Gives the key its file. Rejects with the files' error if the key certainly has not got it, else with `UNKNOWN_OUTCOME`. */
  async #name(key: string, name: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      await this.#names.directories.ensure(this.#names.layout.directoryOf(key));
      try {
        await name();
        return;
      } catch (error) {
        if (!isRefusal(error)) throw unknownOutcome(error, `${key} may have been written`);
        if (!hasCode(error, "FILE_NOT_FOUND") || attempt >= NAMING_TRIES) throw error;
        // Somebody else removed the directory, or took the temporary file for abandoned: then the next try says so.
        this.#names.directories.forget();
      }
    }
  }

  async #sync(key: string, sync: (directory: string) => Promise<void>): Promise<void> {
    try {
      await sync(this.#names.layout.directoryOf(key));
    } catch (error) {
      throw unknownOutcome(error, `${key} was written and may not be durable`);
    }
  }
}
