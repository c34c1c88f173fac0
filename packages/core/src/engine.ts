import type { ObjectStore } from "@karst/objectstore";
import type { MemoryBudget, Runtime } from "@karst/runtime";
import type { WalFactory } from "@karst/wal";
import type { Catalogue } from "./catalogue/catalogue.ts";
import type { Limits } from "./limits.ts";
import type { Stream, StreamState } from "./stream/stream.ts";

export interface EngineOptions {
  readonly objectStore: ObjectStore;
  readonly wal: WalFactory;
  readonly runtime: Runtime;
  readonly limits?: Partial<Limits>;
  /** The budget that the WAL's slabs are reserved from too. Default: one of its own, of `memoryBudgetBytes`. */
  readonly memory?: MemoryBudget;
  /** Accept the loss of what only this WAL holds (`--abandon-wal ID`); logged. */
  readonly abandonWal?: string;
}

/** One open instance over one root. */
export interface Engine {
  readonly rootId: string;
  readonly nodeId: string;
  readonly catalogue: Catalogue;
  readonly limits: Limits;
  readonly memory: MemoryBudget;
  readonly runtime: Runtime;

  /**
   * Opens a stream for appending and reading on this node, taking it over where it has no owner. One handle per stream.
   *
   * @throws KarstError `STREAM_NOT_FOUND` (`not_found`); `STREAM_OPEN` (`conflict`): already open here; `STREAM_NOT_OWNED`
   * (`conflict`): another live node's; `WAL_UNAVAILABLE` (`unavailable`), naming node, walId and path.
   */
  openStream(streamId: number, state?: StreamState): Promise<Stream>;
  /** Uploads and publishes everything durable, then trims the WAL. */
  upload(): Promise<void>;
  /** Uploads, drains the WAL, closes the node record. Settles every append. */
  close(): Promise<void>;
  /** Ends at once as a crash would, but for this process's own resources: for tests and for a failed instance. */
  abandon(): Promise<void>;
  /** Settles with the reason when the engine has failed for ever (WAL failed, fenced); never rejects. */
  readonly failed: Promise<Error>;
}
