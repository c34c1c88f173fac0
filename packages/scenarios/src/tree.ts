import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Paths of all files below a directory, `/` between names, each with a digest of its bytes. */
export type Tree = Readonly<Record<string, string>>;

/** @param leaveOut paths that are not looked at. */
export function treeOf(directory: string, leaveOut?: RegExp): Tree {
  const tree: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(directory, path);
    if (!entry.isFile() || leaveOut?.test(name) === true) continue;
    tree[name] = createHash("sha256").update(readFileSync(path)).digest("hex");
  }
  return tree;
}
