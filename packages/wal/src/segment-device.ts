import type { DirectoryEntry } from "@karst/runtime";

/** Who may hold a WAL: a process, as far as it can be told from outside. Decides only how friendly a refusal is. */
export interface HolderProbe {
  /** One line that names this process and this holder in it, different for each call of the device's maker. */
  readonly self: string;
  /** Whether the holder that wrote `line` still lives. */
  isAlive(line: string): boolean;
  /** This holder lives from here on, and until `end`. */
  begin(): void;
  end(): void;
}

export interface NewSegment {
  readonly name: string;
  /** The file's first bytes; the rest is zeros. */
  readonly header: Uint8Array;
  readonly fileBytes: number;
  readonly epoch: number;
}

export interface SegmentWrite {
  readonly name: string;
  /** In the file. */
  readonly position: number;
  /** A view of shared memory, borrowed until the write settles. */
  readonly bytes: Uint8Array;
  /** The claim that writes. */
  readonly epoch: number;
}

/** A small file to be put in place of whatever has its name. */
export interface SmallFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Nobody else uses it: it names the temporary file. */
  readonly writer: string;
  /** The claim that writes, where it must be the last one: that is looked at before the file gets its name. */
  readonly epoch?: number;
}

/**
 * The directory of one file WAL. It does what it is told, step by step, and decides nothing. Calls may overlap; a write goes
 * before the next slice of a running `create`. Errors are those of `BlockingFiles`, and `WAL_FENCED`.
 */
export interface SegmentDevice {
  /** The directory, for messages. */
  readonly location: string;
  /** Whether a write keeps this thread from doing anything else, so that it pays to gather first. */
  readonly blocking: boolean;
  readonly holder: HolderProbe;

  /** Entries of the directory, which is made durably where it does not exist. */
  list(): Promise<readonly DirectoryEntry[]>;
  /** A small file's bytes; undefined: no such file. */
  readSmall(name: string): Promise<Uint8Array | undefined>;
  /**
   * Replaces a small file atomically and durably (temporary file, sync, rename, directory sync).
   *
   * @throws KarstError `WAL_FENCED` (`fenced`): the epoch has a successor; `FILE_NOT_FOUND` (`not_found`): somebody removed the
   * temporary file. Nothing has been replaced.
   */
  replaceSmall(file: SmallFile): Promise<void>;
  /** Creates `fence-<epoch>`, durably. @throws KarstError `FILE_EXISTS` (`conflict`). */
  createFence(epoch: number): Promise<void>;
  /**
   * Writes a segment of zeros with its header, syncing slice by slice, then gives it its name: a segment that has its name is
   * whole and durable. A failure leaves nothing that counts and fails nothing but this call.
   */
  create(segment: NewSegment): Promise<void>;
  /**
   * The same from the segment `from`, which nobody needs any more and which has the same size: only the header is written, the
   * rest stays as it is. A failure may leave neither.
   */
  recycle(from: string, segment: NewSegment): Promise<void>;
  /**
   * Writes, syncs, then looks whether the epoch has a successor: durable *and* not fenced when resolved.
   *
   * @throws KarstError `WAL_FENCED` (`fenced`). Any other error: nothing may be assumed about what is on the disk.
   */
  write(write: SegmentWrite): Promise<void>;
  /** Fills `into`, a view of shared memory, from `position`; fewer bytes only at the file's end. */
  read(name: string, position: number, into: Uint8Array): Promise<number>;
  size(name: string): Promise<number>;
  /** Removes the files in order, then syncs the directory. Missing ones are fine. */
  remove(names: readonly string[]): Promise<void>;
  /** Lets go of files and threads. Nothing may be running. */
  close(): Promise<void>;
}
