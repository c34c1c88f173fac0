import fs from "node:fs";
import { dirname, resolve } from "node:path";
import { DIRECTORY_MODE } from "./file-modes.ts";

// Level by level: Node's own `recursive` asks for ever where a file system says ENOENT of a name whose parent is there, as /proc does.

/** Makes a directory with those above it; fine where it is there. Throws what the system says. */
export function makeDirectorySync(path: string): void {
  const missing: string[] = [];
  for (const level of levels(path)) {
    const stats = fs.statSync(level, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) break;
    missing.push(level);
    if (stats !== undefined) break;
  }
  for (const level of missing.toReversed()) {
    try {
      fs.mkdirSync(level, { mode: DIRECTORY_MODE });
    } catch (error) {
      const isThere = fs.statSync(level, { throwIfNoEntry: false })?.isDirectory() === true;
      // Somebody else has just made it.
      if (!isThere) throw error;
    }
  }
}

/** The same, on the thread pool. */
export async function makeDirectory(path: string): Promise<void> {
  const missing: string[] = [];
  for (const level of levels(path)) {
    const kind = await kindOf(level);
    if (kind === "directory") break;
    missing.push(level);
    if (kind === "other") break;
  }
  for (const level of missing.toReversed()) {
    try {
      await fs.promises.mkdir(level, { mode: DIRECTORY_MODE });
    } catch (error) {
      if ((await kindOf(level)) !== "directory") throw error;
    }
  }
}

/** The path and all above it, from the bottom up. */
function* levels(path: string): Generator<string, void> {
  let level = resolve(path);
  for (; dirname(level) !== level; level = dirname(level)) yield level;
  yield level;
}

async function kindOf(path: string): Promise<"directory" | "other" | undefined> {
  try {
    return (await fs.promises.stat(path)).isDirectory() ? "directory" : "other";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
