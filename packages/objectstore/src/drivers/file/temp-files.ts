import {
  type FileHandle,
  type Files,
  hasCode,
  isKarstError,
  type Random,
  randomId,
} from "@karst/runtime";
import { refuseAborted } from "../../lifecycle.ts";
import { SYNC_EVERY_BYTES, TEMP_NAME_TRIES } from "../../limits.ts";

/** Awaited before each write, with its bytes, and before each sync, with 0. */
export type Pace = (bytes: number) => Promise<void>;

export interface TempFile {
  readonly path: string;
  readonly bytes: number;
}

/** Each is valid until the next one is asked for. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface WriteOptions {
  readonly sync: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Files that are written before they get their name.
 *
 * A name is random, made exclusively and never used again: whoever removes one makes its writer fail when it wants to name
 * it, and nothing else.
 */
export class TempFiles {
  readonly #files: Files;
  readonly #directory: string;
  readonly #random: Random;
  readonly #pace: Pace | undefined;

  constructor(options: {
    readonly files: Files;
    readonly directory: string;
    readonly random: Random;
    readonly pace: Pace | undefined;
  }) {
    this.#files = options.files;
    this.#directory = options.directory;
    this.#random = options.random;
    this.#pace = options.pace;
  }

  /** Writes a file piece by piece. With `sync` its content is durable when this resolves. Leaves nothing behind when it rejects. */
  async write(pieces: Pieces, options: WriteOptions): Promise<TempFile> {
    const { path, handle } = await this.#create();
    try {
      return { path, bytes: await this.#fill(handle, pieces, options) };
    } catch (error) {
      await this.remove(path);
      throw error;
    }
  }

  /** Removes a file that is of no more use; what cannot be removed is swept later. */
  async remove(path: string): Promise<void> {
    await this.#files.remove(path).catch(ignoreFailure);
  }

  /**
   * Removes the files that nobody has written to for `idleMs`, by the clock that stamps them. That may be wrong about a writer
   * that stood still for so long: it fails, definitely.
   */
  async sweep(idleMs: number): Promise<void> {
    try {
      const { path, handle } = await this.#create();
      await handle.close();
      const now = (await this.#files.stat(path))?.modifiedMs ?? 0;
      await this.remove(path);
      for (const { name } of await this.#files.list(this.#directory)) {
        const found = await this.#files.stat(`${this.#directory}/${name}`);
        if (found?.kind === "file" && now - found.modifiedMs >= idleMs)
          await this.remove(`${this.#directory}/${name}`);
      }
    } catch (error) {
      // A full disk, say, must not keep anybody from reading: the next opening sweeps.
      ignoreFailure(error);
    }
  }

  /** Fills the file and closes it, also when that fails. */
  async #fill(handle: FileHandle, pieces: Pieces, options: WriteOptions): Promise<number> {
    let written: number;
    try {
      written = await this.#writeAll(handle, pieces, options);
    } catch (error) {
      // The first error is the one to report.
      await handle.close().catch(ignoreFailure);
      throw error;
    }
    await handle.close();
    return written;
  }

  async #writeAll(handle: FileHandle, pieces: Pieces, options: WriteOptions): Promise<number> {
    let written = 0;
    let synced = 0;
    for await (const piece of pieces) {
      refuseAborted(options.signal);
      await this.#pace?.(piece.length);
      await handle.write(piece, written);
      written += piece.length;
      if (!options.sync || written - synced < SYNC_EVERY_BYTES) continue;
      await this.#pace?.(0);
      await handle.datasync();
      synced = written;
    }
    refuseAborted(options.signal);
    if (options.sync && (written > synced || written === 0)) {
      await this.#pace?.(0);
      await handle.datasync();
    }
    return written;
  }

  async #create(): Promise<{ readonly path: string; readonly handle: FileHandle }> {
    for (let attempt = 1; ; attempt += 1) {
      const path = `${this.#directory}/${randomId(this.#random)}`;
      try {
        return { path, handle: await this.#files.open(path, "create") };
      } catch (error) {
        // Two instances with the same seed draw the same names.
        if (!hasCode(error, "FILE_EXISTS") || attempt >= TEMP_NAME_TRIES) throw error;
      }
    }
  }
}

function ignoreFailure(error: unknown): void {
  if (!isKarstError(error)) throw error;
}
