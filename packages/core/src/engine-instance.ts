import type { MemoryBudget, Runtime } from "@karst/runtime";
import type { Wal } from "@karst/wal";
import type { LogCache } from "./cache/log-cache.ts";
import type { ObjectReads } from "./cache/object-reads.ts";
import type { Catalogue } from "./catalogue/catalogue.ts";
import type { Engine } from "./engine.ts";
import type { Lifecycle } from "./engine-lifecycle.ts";
import { coreError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { Durability } from "./stream/durability.ts";
import { type OpenStreamParts, ownStream, restoreState } from "./stream/open-stream.ts";
import type { Stream, StreamState } from "./stream/stream.ts";
import { StreamHandle, type StreamParts } from "./stream/stream-handle.ts";
import type { StreamLog } from "./stream/stream-log.ts";

export interface EngineParts extends OpenStreamParts, StreamParts {
  readonly catalogue: Catalogue;
  readonly objects: ObjectReads;
  readonly cache: LogCache;
  readonly durability: Durability;
  readonly wal: Wal;
  readonly logs: Map<number, StreamLog>;
  readonly lifecycle: Lifecycle;
  readonly limits: Limits;
  readonly memory: MemoryBudget;
  readonly runtime: Runtime;
  readonly nodeId: string;
  readonly log: Runtime["log"];
}

/** An engine that is open: hands out stream handles, and ends. The work is its parts'. */
export class EngineInstance implements Engine {
  readonly #parts: EngineParts;
  readonly #handles = new Map<number, "opening" | StreamHandle>();
  #closing: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  #drained = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    parts.lifecycle.onFailed((error) => this.#failStreams(error));
  }

  get rootId(): string {
    return this.#parts.catalogue.rootId;
  }

  get nodeId(): string {
    return this.#parts.nodeId;
  }

  get catalogue(): Catalogue {
    return this.#parts.catalogue;
  }

  get limits(): Limits {
    return this.#parts.limits;
  }

  get memory(): MemoryBudget {
    return this.#parts.memory;
  }

  get runtime(): Runtime {
    return this.#parts.runtime;
  }

  get failed(): Promise<Error> {
    return this.#parts.lifecycle.failed;
  }

  async openStream(streamId: number, state?: StreamState): Promise<Stream> {
    this.#parts.lifecycle.checkOpen();
    if (this.#handles.has(streamId))
      throw coreError("STREAM_OPEN", `stream ${streamId} is open already`);
    this.#handles.set(streamId, "opening");
    try {
      const handle = await this.#open(streamId, state);
      this.#handles.set(streamId, handle);
      return handle;
    } catch (error) {
      this.#handles.delete(streamId);
      throw error;
    }
  }

  async upload(): Promise<void> {
    this.#parts.lifecycle.checkOpen();
    await this.#parts.uploader.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  abandon(): Promise<void> {
    this.#parts.lifecycle.end();
    return this.#end();
  }

  async #open(streamId: number, state: StreamState | undefined): Promise<StreamHandle> {
    const { lifecycle, logs } = this.#parts;
    const known = logs.get(streamId);
    if (known?.fault !== undefined) throw known.fault;
    const log = await ownStream(streamId, known, this.#parts);
    lifecycle.checkOpen();
    logs.set(streamId, log);
    log.isOpen = true;
    try {
      await this.#bringUp(log, state);
    } catch (error) {
      this.#closeLog(log);
      throw error;
    }
    return new StreamHandle(log, this.#parts, () => this.#closeLog(log));
  }

  async #bringUp(log: StreamLog, state: StreamState | undefined): Promise<void> {
    const { appender, lifecycle } = this.#parts;
    // The tail above the start was given up with its WAL: what is appended next must not lie below the start.
    appender.raise(log, log.logStartOffset);
    await log.lastAppend;
    if (state !== undefined) await restoreState(log, state, this.#parts);
    lifecycle.checkOpen();
    if (log.fault !== undefined) throw log.fault;
    log.state = state;
  }

  #closeLog(log: StreamLog): void {
    this.#handles.delete(log.streamId);
    log.isOpen = false;
    if (log.isForgettable) this.#parts.logs.delete(log.streamId);
  }

  async #close(): Promise<void> {
    const { lifecycle, log } = this.#parts;
    lifecycle.beginClose();
    try {
      if (lifecycle.state.tag !== "closing") throw lifecycle.refusal();
      await this.#drain();
      log.info("engine-closed", { nodeId: this.nodeId });
    } finally {
      lifecycle.end();
      await this.#end();
    }
  }

  /** Everything into objects, and the record says so: whoever comes next needs nothing of this node. */
  async #drain(): Promise<void> {
    const { committer, uploader, wal } = this.#parts;
    await wal.flush();
    await uploader.flush();
    if (uploader.trimHeld) {
      await wal.close();
      throw coreError(
        "STREAM_QUARANTINED",
        `the WAL ${wal.walId} still holds the tail of a quarantined stream: it is kept, and its node stays open`,
      );
    }
    const trim = wal.endPosition;
    await committer.commit(
      (draft) => {
        draft.node = {
          ...draft.node,
          state: { tag: "closed" },
          wals: draft.node.wals.map((one) =>
            one.walId === wal.walId ? { ...one, trim, state: "drained" as const } : one,
          ),
        };
      },
      { patient: true },
    );
    this.#drained = true;
    try {
      await wal.destroy();
    } catch (error) {
      // It is recorded as drained: what is left of it is in nobody's way.
      this.#parts.log.warn("wal-destroy-failed", { walId: wal.walId, reason: String(error) });
    }
  }

  /** Lets go of what this process holds; the lifecycle has ended. */
  #end(): Promise<void> {
    this.#ending ??= this.#release();
    return this.#ending;
  }

  async #release(): Promise<void> {
    const { cache, catalogue, committer, durability, lifecycle, objects, uploader, wal } =
      this.#parts;
    const reason = lifecycle.refusal();
    durability.fail(
      reason,
      coreError(
        "APPEND_UNKNOWN",
        "the engine ended before the append was known to be durable",
        reason,
      ),
    );
    this.#failStreams(reason);
    await Promise.allSettled([uploader.settled(), committer.settled()]);
    await wal.abandon();
    objects.clear();
    cache.clear();
    await this.#closeCatalogue(catalogue);
  }

  /** After a clean end nothing is in flight; else what is may take its time, and changes nothing of which anybody here hears. */
  async #closeCatalogue(catalogue: Catalogue): Promise<void> {
    const closed = catalogue.close().catch((error: unknown) => {
      this.#parts.log.warn("catalogue-close-failed", { reason: String(error) });
    });
    if (this.#drained) await closed;
  }

  #failStreams(reason: Error): void {
    const { log, logs } = this.#parts;
    for (const stream of logs.values()) {
      stream.fail(reason, (error) =>
        log.error("advance-listener-failed", { streamId: stream.streamId, reason: String(error) }),
      );
    }
  }
}
