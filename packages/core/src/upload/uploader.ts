import { assert, type MemoryBudget, type Runtime, type Timer } from "@karst/runtime";
import type { ObjectStore } from "@karst/objectstore";
import type { Wal } from "@karst/wal";
import type { Generation } from "../cache/generation.ts";
import type { LogCache } from "../cache/log-cache.ts";
import type { Lifecycle } from "../engine-lifecycle.ts";
import type { EngineMetrics } from "../engine-metrics.ts";
import { coreError } from "../errors.ts";
import { copiedBytes } from "../format/object-block.ts";
import type { Limits } from "../limits.ts";
import type { Durability } from "../stream/durability.ts";
import type { References } from "../stream/references.ts";
import type { StreamLog } from "../stream/stream-log.ts";
import type { NodeCommitter } from "./node-committer.ts";
import { type PlannedObject, planUpload } from "./plan.ts";
import { type LeftOut, type Published, publishUpload } from "./publish.ts";
import { Retry } from "./retry.ts";
import { writeObjects } from "./write-objects.ts";

export interface UploaderOptions {
  readonly nodeId: string;
  readonly nodeEpoch: number;
  readonly store: ObjectStore;
  readonly wal: Wal;
  readonly cache: LogCache;
  readonly durability: Durability;
  readonly committer: NodeCommitter;
  readonly references: References;
  /** What is known of each stream; one that nobody has open is forgotten once all of it is published. */
  readonly logs: Map<number, StreamLog>;
  readonly memory: MemoryBudget;
  readonly limits: Limits;
  readonly lifecycle: Lifecycle;
  readonly runtime: Runtime;
  readonly metrics: EngineMetrics;
}

interface Queued {
  readonly generation: Generation;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Brings the log cache into objects, one generation after the other: cut, wait until durable, write the objects, publish them in
 * one commit, trim the WAL.
 *
 * Invariants: only durable frames are uploaded. Objects get sequences in dispatch order and are referenced after they are
 * written. Generations are published in WAL order, so the trim only grows; once a stream is found broken it stays. A state block
 * is taken at the cut, never from inside an append. With nothing to upload there is no timer and no request.
 */
export class Uploader {
  readonly #options: UploaderOptions;
  readonly #queue: Queued[] = [];
  #timer: Timer | undefined;
  #cutScheduled = false;
  #running: Promise<void> | undefined;
  #nextSequence = 0;
  #trimHeld = false;

  constructor(options: UploaderOptions) {
    this.#options = options;
  }

  /** Whether a broken stream keeps the WAL from being trimmed. */
  get trimHeld(): boolean {
    return this.#trimHeld;
  }

  /** Takes over what recovery cut, and whatever it left in the open generation. */
  adopt(generations: readonly Generation[]): void {
    for (const generation of generations) this.#enqueue(generation);
    this.appended(false);
  }

  /** Something was appended; `pressed`: or refused for want of room. */
  appended(pressed: boolean): void {
    const { cache, limits, metrics } = this.#options;
    metrics.unuploadedBytes.set(cache.unuploadedBytes);
    if (pressed || cache.isFull(limits.uploadBytes)) this.#scheduleCut();
    else this.#armTimer();
  }

  /** Uploads everything appended so far, once it is durable. @throws why the engine ended before. */
  async flush(): Promise<void> {
    this.#options.lifecycle.signal.throwIfAborted();
    this.#cut();
    await this.#queue.at(-1)?.done;
  }

  /** Resolves when nothing is in flight any more, after the lifecycle's signal. */
  async settled(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#running;
  }

  #armTimer(): void {
    const { cache, limits, runtime } = this.#options;
    if (this.#timer !== undefined || cache.openBytes === 0) return;
    this.#timer = runtime.clock.setTimer(limits.uploadAgeMs, () => {
      this.#timer = undefined;
      this.#cut();
    });
  }

  /** Not now: the caller of `append` may be about to change the state that the cut would encode. */
  #scheduleCut(): void {
    if (this.#cutScheduled) return;
    this.#cutScheduled = true;
    queueMicrotask(() => {
      this.#cutScheduled = false;
      this.#cut();
    });
  }

  #cut(): void {
    const { cache, logs, lifecycle } = this.#options;
    if (!lifecycle.isRunning) return;
    const generation = cache.cut();
    if (generation === undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const streamId of generation.runs.keys()) {
      const block = this.#stateOf(logs.get(streamId));
      if (block !== undefined) generation.states.set(streamId, block);
    }
    this.#enqueue(generation);
  }

  #enqueue(generation: Generation): void {
    let resolve!: () => void;
    let reject!: (error: Error) => void;
    const done = new Promise<void>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    done.catch(() => undefined);
    this.#queue.push({ generation, done, resolve, reject });
    this.#running ??= this.#run();
  }

  /** Empty stands for nothing, as of the cut: without it a reader would go by an older block. undefined: nobody knows. */
  #stateOf(log: StreamLog | undefined): Uint8Array | undefined {
    if (log?.state === undefined || log.fault !== undefined) return undefined;
    try {
      return log.state.encode() ?? new Uint8Array(0);
    } catch (error) {
      // The older block stays, and the batches after it tell the same.
      this.#options.runtime.log.error("state-encode-failed", {
        streamId: log.streamId,
        reason: String(error),
      });
      return undefined;
    }
  }

  /** Never rejects: what stops an upload stops the engine. */
  async #run(): Promise<void> {
    const { lifecycle } = this.#options;
    try {
      for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
        await this.#upload(next.generation);
        this.#queue.shift();
        next.resolve();
      }
    } catch (error) {
      lifecycle.fail(error as Error);
      for (const queued of this.#queue.splice(0)) queued.reject(error as Error);
    } finally {
      this.#running = undefined;
    }
  }

  async #upload(generation: Generation): Promise<void> {
    const { cache, durability, limits, lifecycle, logs, metrics, runtime, store } = this.#options;
    await durability.reached(generation.endPosition);
    const planned = planUpload(generation.runs.values(), {
      streamObjectBytesMin: limits.streamObjectBytesMin,
      states: generation.states,
      startOf: (streamId) => {
        const log = logs.get(streamId);
        return log === undefined || log.fault !== undefined ? undefined : log.logStartOffset;
      },
    });
    const release = await this.#reserve(planned);
    try {
      const written = await writeObjects(planned, {
        store,
        blockBytes: limits.blockBytes,
        nextId: () => this.#nextId(),
        retry: () => this.#retry(),
        log: runtime.log,
        signal: lifecycle.signal,
      });
      const published = await this.#publish(generation, written);
      this.#apply(generation, published);
      for (const object of published.objects) metrics.uploadedBytes.add(object.row.bytes);
      metrics.uploadedObjects.add(published.objects.length);
      metrics.uploads.add(1);
      runtime.log.debug("upload-published", {
        objects: published.objects.length,
        streams: published.ends.size,
      });
      metrics.unuploadedBytes.set(cache.unuploadedBytes);
      if (published.trimmed) await this.#trim(generation);
    } finally {
      release();
    }
    assert(cache.unuploadedBytes >= 0, "un-uploaded bytes are negative");
  }

  #publish(
    generation: Generation,
    written: Awaited<ReturnType<typeof writeObjects>>,
  ): Promise<Published> {
    const { committer, logs, nodeId, wal } = this.#options;
    const epochs = new Map<number, number>();
    for (const streamId of generation.runs.keys()) {
      const log = logs.get(streamId);
      if (log !== undefined) epochs.set(streamId, log.epoch);
    }
    const publication = {
      nodeId,
      objects: written,
      epochs,
      trim: generation.endPosition,
      walId: wal.walId,
      decidedSeq: this.#nextSequence,
    };
    return committer.commit((draft) => publishUpload(draft, publication, this.#trimHeld), {
      patient: true,
    });
  }

  /** In one step, so that every offset is in references or in the cache at any time. */
  #apply(generation: Generation, published: Published): void {
    const { cache, logs, references } = this.#options;
    for (const { key, row } of published.objects) references.add(key, row);
    for (const [streamId, end] of published.ends) {
      const log = logs.get(streamId);
      if (log === undefined) continue;
      log.committedEnd = end;
      if (generation.states.has(streamId)) log.stateOffset = end;
      if (log.isForgettable) logs.delete(streamId);
    }
    for (const reason of published.leftOut) this.#leaveOut(reason);
    cache.uploaded(generation);
  }

  #leaveOut(reason: LeftOut): void {
    const { logs, runtime } = this.#options;
    const { streamId } = reason;
    if (reason.tag === "broken") {
      this.#trimHeld = true;
      const { start, end } = reason;
      this.#options.metrics.streamsQuarantined.add(1);
      runtime.log.error("stream-quarantined", { streamId, start, committedEnd: end });
    }
    const error =
      reason.tag === "broken"
        ? coreError(
            "STREAM_QUARANTINED",
            `stream ${streamId}: its tail starts at ${reason.start}, the catalogue has it end at ${reason.end}`,
          )
        : coreError(
            "STREAM_FENCED",
            reason.tag === "deleted"
              ? `stream ${streamId} is deleted`
              : `stream ${streamId} is another node's`,
          );
    logs
      .get(streamId)
      ?.fail(error, (cause) =>
        runtime.log.error("advance-listener-failed", { streamId, reason: String(cause) }),
      );
    if (reason.tag === "deleted") logs.delete(streamId);
  }

  async #trim(generation: Generation): Promise<void> {
    const { metrics, runtime, wal } = this.#options;
    try {
      await wal.trim(generation.endPosition);
      metrics.walTrims.add(1);
    } catch (error) {
      // The next trim covers this one; a WAL that has failed tells its listener.
      runtime.log.warn("wal-trim-failed", { walId: wal.walId, reason: String(error) });
    }
    this.#options.runtime.log.debug("wal-trimmed", { position: generation.endPosition });
  }

  #nextId(): { readonly nodeId: string; readonly nodeEpoch: number; readonly sequence: number } {
    const { nodeId, nodeEpoch } = this.#options;
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    return { nodeId, nodeEpoch, sequence };
  }

  /** Memory for what encoding copies; others give theirs back in time, because un-uploaded bytes are bounded. */
  async #reserve(planned: readonly PlannedObject[]): Promise<() => void> {
    const { memory } = this.#options;
    let bytes = 0;
    for (const object of planned)
      for (const stream of object.streams) bytes += copiedBytes(stream.batches);
    const retry = this.#retry();
    while (!memory.tryReserveEvicting(bytes)) await retry.pause();
    return () => memory.release(bytes);
  }

  #retry(): Retry {
    const { runtime, lifecycle } = this.#options;
    return new Retry({ clock: runtime.clock, random: runtime.random, signal: lifecycle.signal });
  }
}
