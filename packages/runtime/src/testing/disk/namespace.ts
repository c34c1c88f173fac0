import { type Random, randomInteger } from "../../random.ts";
import { type CrashKeep, FileContent } from "./file-content.ts";

/** Changes that are not on the medium: of more, the oldest get there by themselves, as write-back sees to it. */
const CHANGES_MAX = 256;

/** A file, under any number of names. */
export class FileNode {
  readonly kind = "file" as const;
  content: FileContent = new FileContent();
  modifiedMs = 0;
  /** Names that the running system sees; a file without any lives on while it is open. */
  names = 0;
  handles = 0;
}

export class DirectoryNode {
  readonly kind = "directory" as const;
  modifiedMs = 0;
  /** What the running system sees. */
  entries: Map<string, Node> = new Map();
  /** What the medium holds. */
  durable: Map<string, Node> = new Map();
  /** By name, the last change that is not on the medium yet. */
  readonly changes: Map<string, Change> = new Map();
}

export type Node = FileNode | DirectoryNode;

/** One name set to a node, or to nothing. */
export interface Effect {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: Node | undefined;
}

/** A create, rename, link or remove: all of its effects, or none of them, survive a crash. */
interface Change {
  readonly sequence: number;
  readonly effects: readonly Effect[];
  /** Changes without which this one could not have happened. */
  readonly after: readonly Change[];
  /** Directories that have not been synced since; none: every crash keeps the change. */
  readonly unsynced: Set<DirectoryNode>;
}

/**
 * The names of a disk: what the running system sees, what the medium holds, and the changes between the two, in order.
 *
 * The medium's names with all of `#changes` applied are the visible ones. A change whose directories have all been synced
 * leaves the list for the medium as soon as no earlier one in the list touches its names.
 */
export class Namespace {
  root: DirectoryNode = new DirectoryNode();
  #changes: Change[] = [];
  #sequence = 0;

  /** Changes that a crash may undo. */
  get pending(): number {
    return this.#changes.filter((change) => change.unsynced.size > 0).length;
  }

  /** Makes a change visible. `from`: the names that must be as they are for the change to make sense. */
  apply(
    effects: readonly Effect[],
    from: readonly { readonly directory: DirectoryNode; readonly name: string }[],
  ): void {
    const after = new Set<Change>();
    for (const { directory, name } of from) {
      const change = directory.changes.get(name);
      if (change !== undefined) after.add(change);
    }
    this.#sequence += 1;
    const unsynced = new Set(effects.map((effect) => effect.directory));
    const change: Change = { sequence: this.#sequence, effects, after: [...after], unsynced };
    this.#changes.push(change);
    for (const effect of effects) {
      effect.directory.changes.set(effect.name, change);
      this.#show(effect);
    }
    if (this.#changes.length <= CHANGES_MAX) return;
    for (const old of this.#changes.slice(0, CHANGES_MAX / 4)) old.unsynced.clear();
    this.#fold();
  }

  /** Where a sync of a directory begins: it covers the changes made by then. */
  beginSync(): number {
    return this.#sequence;
  }

  completeSync(directory: DirectoryNode, point: number): void {
    for (const change of this.#changes)
      if (change.sequence <= point) change.unsynced.delete(directory);
    this.#fold();
  }

  /** Whether every crash leaves the last of the names, and all above it, as they are. */
  isDurable(path: readonly string[]): boolean {
    const kept = this.#forced();
    let directory: Node = this.root;
    for (const name of path) {
      if (directory.kind === "file") return false;
      const node: Node | undefined = directory.entries.get(name);
      const change = directory.changes.get(name);
      if (node === undefined) return false;
      if (change === undefined ? directory.durable.get(name) !== node : !kept.has(change))
        return false;
      directory = node;
    }
    return true;
  }

  /** Power is lost: of the changes that were not synced any subset survives that makes sense. */
  crash(keep: CrashKeep, random: Random): { readonly kept: number; readonly dropped: number } {
    const kept = this.#forced();
    const forced = kept.size;
    const survivalPercent = randomInteger(random, -20, 120);
    for (const change of this.#changes) {
      if (
        kept.has(change) ||
        keep === "synced" ||
        !change.after.every((before) => kept.has(before))
      )
        continue;
      if (keep === "all" || randomInteger(random, 0, 99) < survivalPercent) kept.add(change);
    }
    const dropped = this.#changes.length - kept.size;
    for (const change of this.#changes) if (kept.has(change)) settle(change);
    this.#changes = [];
    reopen(this.root, new Set());
    return { kept: kept.size - forced, dropped };
  }

  /** Every visible directory and file, once for each of its names, parents first and names sorted. */
  *walk(): Generator<{ readonly path: string; readonly node: Node }> {
    yield* walkFrom(this.root, "");
  }

  /** A deep copy: what happens to it does not show here. */
  copy(): Namespace {
    const copies = new Map<Node, Node>();
    const changes = new Map<Change, Change>();
    const copy = new Namespace();
    copy.root = copyNode(this.root, copies) as DirectoryNode;
    copy.#sequence = this.#sequence;
    for (const change of this.#changes) {
      const effects = change.effects.map(({ directory, name, node }) => ({
        directory: copyNode(directory, copies) as DirectoryNode,
        name,
        node: node && copyNode(node, copies),
      }));
      const after = change.after.flatMap((before) => changes.get(before) ?? []);
      const unsynced = new Set(
        [...change.unsynced].map((node) => copyNode(node, copies) as DirectoryNode),
      );
      const twin: Change = { sequence: change.sequence, effects, after, unsynced };
      changes.set(change, twin);
      copy.#changes.push(twin);
      for (const effect of effects) effect.directory.changes.set(effect.name, twin);
    }
    return copy;
  }

  #show({ directory, name, node }: Effect): void {
    const replaced = directory.entries.get(name);
    if (replaced?.kind === "file") replaced.names -= 1;
    if (node === undefined) directory.entries.delete(name);
    else directory.entries.set(name, node);
    if (node?.kind === "file") node.names += 1;
  }

  /** The changes that every crash keeps: synced ones, and those without which they could not have happened. */
  #forced(): Set<Change> {
    const forced = new Set<Change>();
    for (const change of this.#changes.toReversed()) {
      if (change.unsynced.size === 0) forced.add(change);
      if (forced.has(change)) for (const before of change.after) forced.add(before);
    }
    return forced;
  }

  #fold(): void {
    const listed = new Set<Change>();
    const touched = new Map<DirectoryNode, Set<string>>();
    const isFree = (effect: Effect): boolean =>
      touched.get(effect.directory)?.has(effect.name) !== true;
    for (const change of this.#changes) {
      const waits = change.after.some((before) => listed.has(before));
      if (change.unsynced.size === 0 && !waits && change.effects.every(isFree)) {
        settle(change);
        continue;
      }
      listed.add(change);
      for (const { directory, name } of change.effects) {
        const names = touched.get(directory) ?? new Set<string>();
        touched.set(directory, names.add(name));
      }
    }
    this.#changes = [...listed];
  }
}

/** Puts a change on the medium. */
function settle(change: Change): void {
  for (const { directory, name, node } of change.effects) {
    if (node === undefined) directory.durable.delete(name);
    else directory.durable.set(name, node);
    if (directory.changes.get(name) === change) directory.changes.delete(name);
  }
}

/** After a crash the medium is what is seen. */
function reopen(directory: DirectoryNode, seen: Set<Node>): void {
  seen.add(directory);
  directory.entries = new Map(directory.durable);
  directory.changes.clear();
  for (const node of directory.entries.values()) {
    if (node.kind === "directory") {
      if (!seen.has(node)) reopen(node, seen);
      continue;
    }
    if (!seen.has(node)) {
      node.names = 0;
      node.handles = 0;
    }
    seen.add(node);
    node.names += 1;
  }
}

function* walkFrom(
  directory: DirectoryNode,
  path: string,
): Generator<{ readonly path: string; readonly node: Node }> {
  for (const name of [...directory.entries.keys()].toSorted()) {
    const node = directory.entries.get(name) as Node;
    yield { path: `${path}/${name}`, node };
    if (node.kind === "directory") yield* walkFrom(node, `${path}/${name}`);
  }
}

function copyNode(node: Node, copies: Map<Node, Node>): Node {
  const known = copies.get(node);
  if (known !== undefined) return known;
  if (node.kind === "file") {
    const copy = new FileNode();
    copies.set(node, copy);
    copy.content = node.content.copy();
    copy.modifiedMs = node.modifiedMs;
    copy.names = node.names;
    return copy;
  }
  const copy = new DirectoryNode();
  copies.set(node, copy);
  copy.modifiedMs = node.modifiedMs;
  for (const [name, entry] of node.entries) copy.entries.set(name, copyNode(entry, copies));
  for (const [name, entry] of node.durable) copy.durable.set(name, copyNode(entry, copies));
  return copy;
}
