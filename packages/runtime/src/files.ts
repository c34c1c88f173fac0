/** What a directory entry is. Anything else (sockets, links) is reported as `other` and never followed. */
export type FileKind = "file" | "directory" | "other";

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileKind;
}

/**
 * An open file. Positions and lengths are bytes.
 *
 * Failures reject with a `KarstError`: `NO_SPACE` (`unavailable`) when the disk or a quota is full, else `IO_ERROR`
 * (`unavailable`), both with the system's error as cause.
 */
export interface FileHandle {
  /** Fills `into` from `position`; resolves with the bytes read, fewer than `into.length` only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` (short writes are continued). Durable only after `datasync`. `bytes` is borrowed until it settles. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes the file's data and size durable. After a rejection nothing may be assumed about earlier writes, and it must not be retried. */
  datasync(): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Asynchronous files, for everything but the WAL. Paths are absolute or relative to the process.
 * A missing path rejects with `FILE_NOT_FOUND` (`not_found`), an existing one, where exclusive, with `FILE_EXISTS` (`conflict`).
 */
export interface Files {
  /** `read`: existing, read only. `create`: must not exist. `write`: existing or new, not truncated. */
  open(path: string, mode: "read" | "create" | "write"): Promise<FileHandle>;
  /** Entries of a directory, sorted by name. */
  list(path: string): Promise<readonly DirectoryEntry[]>;
  stat(
    path: string,
  ): Promise<
    { readonly kind: FileKind; readonly bytes: number; readonly modifiedMs: number } | undefined
  >;
  /** Creates the directory and its missing parents; existing ones are fine. Not durable without `syncDirectory` of the parents. */
  makeDirectory(path: string): Promise<void>;
  /** Replaces `to` atomically. Durable after `syncDirectory` of both parents. */
  rename(from: string, to: string): Promise<void>;
  /** Makes `to` a second name of the file `from`; fails if `to` exists. The atomic create-if-absent of complete content. */
  link(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** Makes the creates, renames, links and removes inside the directory durable. */
  syncDirectory(path: string): Promise<void>;
}

/**
 * Files by blocking system calls, for the WAL's own thread: each call returns when the kernel has. One call is one
 * system call: `write` may be short, and the caller continues it. Throws the same errors as `Files`.
 */
export interface BlockingFiles {
  open(path: string, mode: "read" | "create" | "write"): BlockingFile;
  list(path: string): readonly DirectoryEntry[];
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  syncDirectory(path: string): void;
}

export interface BlockingFile {
  /** Reads at most `length` bytes into `into` at `offset`; 0 at the end of the file. */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
  /** Writes at most `length` bytes; returns how many were taken (≥ 1). */
  write(bytes: Uint8Array, offset: number, length: number, position: number): number;
  datasync(): void;
  size(): number;
  close(): void;
}
