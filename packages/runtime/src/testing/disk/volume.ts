import { posix } from "node:path";
import type { DirectoryEntry, FileKind } from "../../files.ts";
import { DirectoryNode, FileNode, type Namespace, type Node } from "./namespace.ts";
import { diskError } from "./system-error.ts";

/** A name in a directory that exists, and what is there. */
export interface Place {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: Node | undefined;
}

/** A file system's rules over names and contents, with the errors that Linux gives. Paths are absolute and normalised. */
export class Volume {
  readonly names: Namespace;
  readonly #wallMs: () => number;
  capacityBytes: number = Infinity;
  /** Sizes of all files that have a name or are open. */
  usedBytes: number = 0;

  constructor(names: Namespace, wallMs: () => number) {
    this.names = names;
    this.#wallMs = wallMs;
    this.recount();
  }

  open(path: string, mode: "read" | "create" | "write"): FileNode {
    const place = this.#place("open", path);
    if (place.node !== undefined) {
      if (mode === "create") throw diskError("EEXIST", "open", path);
      if (place.node.kind === "directory") throw diskError("EISDIR", "open", path);
      place.node.handles += 1;
      return place.node;
    }
    if (mode === "read") throw diskError("ENOENT", "open", path);
    const file = new FileNode();
    file.handles = 1;
    file.modifiedMs = this.#wallMs();
    this.#set(place, file);
    return file;
  }

  close(file: FileNode): void {
    file.handles -= 1;
    this.#forget(file);
  }

  /** Takes what there is room for; returns how many bytes, at least 1. */
  write(file: FileNode, bytes: Uint8Array, position: number, path: string): number {
    const growth = Math.max(position + bytes.length - file.content.size, 0);
    const shortage = Math.max(growth - Math.max(this.capacityBytes - this.usedBytes, 0), 0);
    const length = bytes.length - shortage;
    if (length <= 0 && bytes.length > 0) throw diskError("ENOSPC", "write", path);
    this.resize(file, () => file.content.write(bytes.subarray(0, length), position));
    file.modifiedMs = this.#wallMs();
    return length;
  }

  /** Makes a change that may change the file's size. */
  resize(file: FileNode, change: () => void): void {
    const before = file.content.size;
    change();
    this.usedBytes += file.content.size - before;
  }

  list(path: string): DirectoryEntry[] {
    const node = this.#directory("list", path);
    return [...node.entries]
      .map(([name, entry]) => ({ name, kind: entry.kind }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  stat(path: string): { kind: FileKind; bytes: number; modifiedMs: number } | undefined {
    const node = this.find("stat", path);
    if (node === undefined) return undefined;
    return {
      kind: node.kind,
      bytes: node.kind === "file" ? node.content.size : 0,
      modifiedMs: node.modifiedMs,
    };
  }

  makeDirectory(path: string): void {
    let parent = "";
    for (const name of partsOf(path)) {
      const place = this.#place("make directory", `${parent}/${name}`);
      if (place.node === undefined) this.#set(place, new DirectoryNode());
      else if (place.node.kind === "file") {
        throw diskError(
          `${parent}/${name}` === path ? "EEXIST" : "ENOTDIR",
          "make directory",
          path,
        );
      }
      parent = `${parent}/${name}`;
    }
  }

  rename(from: string, to: string): void {
    const source = this.#existing("rename", from);
    const target = this.#place("rename", to);
    const node = source.node as Node;
    if (target.node === node) return;
    if (node.kind === "directory") this.#checkDirectoryRename(from, to, target.node);
    else if (target.node?.kind === "directory") throw diskError("EISDIR", "rename", to);
    const effects = [
      { directory: source.directory, name: source.name, node: undefined },
      { directory: target.directory, name: target.name, node },
    ];
    this.names.apply(effects, [source]);
    this.#stamp(source.directory, target.directory);
    this.#forget(target.node);
  }

  link(from: string, to: string): void {
    const source = this.#existing("link", from);
    const target = this.#place("link", to);
    if (source.node?.kind === "directory") throw diskError("EPERM", "link", from);
    if (target.node !== undefined) throw diskError("EEXIST", "link", to);
    this.names.apply([{ directory: target.directory, name: target.name, node: source.node }], []);
    this.#stamp(target.directory);
  }

  remove(path: string): void {
    const place = this.#existing("remove", path);
    if (place.node?.kind === "directory") throw diskError("EISDIR", "remove", path);
    this.#unset(place, [place]);
  }

  removeDirectory(path: string): void {
    const place = this.#existing("remove directory", path);
    const { node } = place;
    if (node?.kind !== "directory") throw diskError("ENOTDIR", "remove directory", path);
    if (node.entries.size > 0) throw diskError("ENOTEMPTY", "remove directory", path);
    // It can only go from the medium when everything in it has.
    const emptied = [...node.changes.keys()].map((name) => ({ directory: node, name }));
    this.#unset(place, [place, ...emptied]);
  }

  beginDirectorySync(path: string): { readonly directory: DirectoryNode; readonly point: number } {
    return { directory: this.#directory("sync directory", path), point: this.names.beginSync() };
  }

  /** What is at a path; none where a part of it is missing. */
  find(operation: string, path: string): Node | undefined {
    let node: Node | undefined = this.names.root;
    for (const name of partsOf(path)) {
      if (node === undefined) return undefined;
      if (node.kind === "file") throw diskError("ENOTDIR", operation, path);
      node = node.entries.get(name);
    }
    return node;
  }

  file(path: string): FileNode {
    const node = this.find("find", path);
    if (node?.kind !== "file") throw diskError("ENOENT", "find", path);
    return node;
  }

  /** Counts the used space anew, from the visible files. */
  recount(): void {
    const files = new Set<FileNode>();
    for (const { node } of this.names.walk()) if (node.kind === "file") files.add(node);
    this.usedBytes = 0;
    for (const file of files) this.usedBytes += file.content.size;
  }

  #place(operation: string, path: string): Place {
    const name = posix.basename(path);
    const directory = this.find(operation, posix.dirname(path));
    if (directory === undefined) throw diskError("ENOENT", operation, path);
    if (directory.kind === "file") throw diskError("ENOTDIR", operation, path);
    return { directory, name, node: path === "/" ? this.names.root : directory.entries.get(name) };
  }

  #existing(operation: string, path: string): Place {
    if (path === "/") throw diskError("EINVAL", operation, path);
    const place = this.#place(operation, path);
    if (place.node === undefined) throw diskError("ENOENT", operation, path);
    return place;
  }

  #directory(operation: string, path: string): DirectoryNode {
    const node = this.find(operation, path);
    if (node === undefined) throw diskError("ENOENT", operation, path);
    if (node.kind === "file") throw diskError("ENOTDIR", operation, path);
    return node;
  }

  #checkDirectoryRename(from: string, to: string, replaced: Node | undefined): void {
    if (to.startsWith(`${from}/`)) throw diskError("EINVAL", "rename", from);
    if (replaced?.kind === "file") throw diskError("ENOTDIR", "rename", to);
    if (replaced !== undefined && replaced.entries.size > 0)
      throw diskError("ENOTEMPTY", "rename", to);
  }

  #set(place: Place, node: Node): void {
    this.names.apply([{ directory: place.directory, name: place.name, node }], []);
    this.#stamp(place.directory);
  }

  #unset(place: Place, from: readonly { directory: DirectoryNode; name: string }[]): void {
    this.names.apply([{ directory: place.directory, name: place.name, node: undefined }], from);
    this.#stamp(place.directory);
    this.#forget(place.node);
  }

  #stamp(...directories: DirectoryNode[]): void {
    for (const directory of directories) directory.modifiedMs = this.#wallMs();
  }

  /** Gives the space of a file back when nothing refers to it any more. */
  #forget(node: Node | undefined): void {
    if (node?.kind === "file" && node.names === 0 && node.handles === 0)
      this.usedBytes -= node.content.size;
  }
}

/** `/a/b` → `a`, `b`. */
export function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

/** Relative paths start at the root: the simulated process works there. */
export function normalise(path: string): string {
  return posix.resolve("/", path);
}
