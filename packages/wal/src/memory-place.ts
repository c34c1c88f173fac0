import type { RecoveredFrame } from "./wal.ts";

/** What outlives the instances of a memory WAL, until the factory is gone. */
export interface MemoryPlace {
  identity:
    | { readonly walId: string; readonly nodeId: string; readonly rootId: string }
    | undefined;
  /** Of the last claim; grows for ever. */
  epoch: number;
  /** In order, and held: one reference of each frame's slab is the place's. */
  frames: RecoveredFrame[];
  /** Where the next instance's positions begin. */
  end: number;
  trimmed: number;
}
