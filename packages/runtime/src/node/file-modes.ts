import fs from "node:fs";
import type { DirectoryEntry, FileKind } from "../files.ts";

/** Data belongs to the account that runs the engine, and to nobody else. */
export const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

/** Windows has no way to flush a directory: there, names are as durable as the system makes them. */
export const directorySyncs: boolean = process.platform !== "win32";

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;
// Absent on some platforms, whatever the types say.
const O_NOFOLLOW = (fs.constants.O_NOFOLLOW as number | undefined) ?? 0;
const O_DIRECTORY = (fs.constants.O_DIRECTORY as number | undefined) ?? 0;

const FLAGS: Readonly<Record<"read" | "create" | "write" | "directory", number>> = {
  read: O_RDONLY | O_NOFOLLOW,
  create: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
  write: O_RDWR | O_CREAT | O_NOFOLLOW,
  directory: O_RDONLY | O_DIRECTORY,
};

/** Flags of `open(2)`. The last component is never followed through a symbolic link, where the system can refuse it. */
export function openFlags(mode: keyof typeof FLAGS): number {
  return FLAGS[mode];
}

export function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): FileKind {
  if (entry.isFile()) return "file";
  return entry.isDirectory() ? "directory" : "other";
}

/** Sorted by name, in UTF-16 code units. */
export function entriesOf(entries: readonly fs.Dirent[]): DirectoryEntry[] {
  return entries
    .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
