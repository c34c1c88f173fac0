import { hasCode, isKarstError, MemoryBudget, type Runtime } from "@karst/runtime";
import {
  type ClaimFacts,
  type Wal,
  walError,
  type WalClaim,
  type WalListener,
  type WalPosition,
} from "@karst/wal";
import { LogCache } from "./cache/log-cache.ts";
import { ObjectReads } from "./cache/object-reads.ts";
import type { Catalogue, Revision } from "./catalogue/catalogue.ts";
import { openCatalogue } from "./catalogue/open-catalogue.ts";
import { nodeRow } from "./catalogue/rows/node-row.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { EngineInstance } from "./engine-instance.ts";
import { Lifecycle } from "./engine-lifecycle.ts";
import { type EngineMetrics, engineMetrics } from "./engine-metrics.ts";
import { engineLimits } from "./engine-limits.ts";
import { coreError } from "./errors.ts";
import { type Limits, OBJECT_INDEX_CACHE_BYTES } from "./limits.ts";
import { commitOpen } from "./recovery/commit-open.ts";
import { decideOpen, type OpenDecision } from "./recovery/decide-open.ts";
import { FrameRecovery } from "./recovery/frame-recovery.ts";
import { Appender } from "./stream/appender.ts";
import { Durability } from "./stream/durability.ts";
import { ReadAhead } from "./stream/read-ahead.ts";
import { References } from "./stream/references.ts";
import type { StreamLog } from "./stream/stream-log.ts";
import { StreamReader } from "./stream/stream-reader.ts";
import { NodeCommitter } from "./upload/node-committer.ts";
import { Uploader } from "./upload/uploader.ts";

/**
 * Opens an engine over a root: claims its WAL, fences every older process of its node, recovers, and serves. Uploads what was
 * recovered in its own time.
 *
 * @throws TypeError on contradictory limits. KarstError `WAL_UNAVAILABLE` (`unavailable`): another node's WAL may hold what is
 * nowhere else; `WAL_STALE` (`corrupt`): this WAL is not what its node continues with; `NODE_CONTESTED` (`conflict`): another
 * process opened the node at the same time; `RECOVERY_CORRUPT` (`corrupt`); whatever catalogue and WAL reject with.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const limits = engineLimits(options.limits);
  const { objectStore, runtime } = options;
  const catalogue = await openCatalogue({ objectStore, runtime, create: true });
  try {
    const claim = await options.wal.claim({
      rootId: catalogue.rootId,
      // What is refused on what is known by now is refused without a trace, however often it is tried.
      admit: (facts) => void decide(facts, catalogue, options.abandonWal),
    });
    return await openClaimed(claim, catalogue, { ...options, limits });
  } catch (error) {
    await catalogue.close();
    throw error;
  }
}

/** What is there before the WAL is recovered. */
interface Core {
  readonly limits: Limits;
  readonly memory: MemoryBudget;
  readonly lifecycle: Lifecycle;
  readonly durability: Durability;
  readonly cache: LogCache;
  readonly catalogue: Catalogue;
  readonly runtime: Runtime;
  readonly metrics: EngineMetrics;
  readonly nodeId: string;
}

interface Recovered {
  readonly wal: Wal;
  readonly logs: Map<number, StreamLog>;
  readonly frames: FrameRecovery;
  /** Of the node's record. */
  readonly revision: Revision;
  readonly epoch: number;
}

async function openClaimed(
  claim: WalClaim,
  catalogue: Catalogue,
  options: EngineOptions & { readonly limits: Limits },
): Promise<Engine> {
  const { limits, runtime } = options;
  const memory = options.memory ?? new MemoryBudget(limits.memoryBudgetBytes);
  const durability = new Durability(
    (error) => runtime.log.error("advance-listener-failed", { reason: String(error) }),
    (fn) => runtime.clock.defer(fn),
  );
  const lifecycle = new Lifecycle();
  lifecycle.onFailed((error) => {
    runtime.log.error("engine-failed", { nodeId: claim.nodeId, reason: error.message });
    durability.fail(
      error,
      coreError(
        "APPEND_UNKNOWN",
        "the engine failed before the append was known to be durable",
        error,
      ),
    );
  });
  const core: Core = {
    limits,
    memory,
    lifecycle,
    durability,
    cache: new LogCache(memory),
    catalogue,
    runtime,
    metrics: engineMetrics(runtime.metrics),
    nodeId: claim.nodeId,
  };
  const recovered = await recover(claim, core, options.abandonWal);
  return assemble(core, recovered, options);
}

/** Fence, read, decide, survey the log, record, recover: in the order that leaves no older process any say, and no trace of a refusal. */
async function recover(
  claim: WalClaim,
  core: Core,
  abandonWal: string | undefined,
): Promise<Recovered> {
  const { catalogue, durability, lifecycle, runtime } = core;
  let wal: Wal | undefined;
  let known: Revision | undefined;
  try {
    // The claim has fenced the WAL: what its last user acknowledges from now on is in nothing that he publishes.
    await catalogue.refresh();
    known = nodeRow.get(catalogue, claim.nodeId)?.revision;
    const decision = await decideFor(claim, catalogue, abandonWal);
    let revision: Revision | undefined;
    const commit = async (): Promise<Revision> => {
      const { nodeId } = claim;
      revision = await commitOpen({
        catalogue,
        runtime,
        nodeId,
        decision,
        signal: lifecycle.signal,
      });
      known = revision;
      return revision;
    };
    const frames = new FrameRecovery({
      catalogue,
      nodeId: claim.nodeId,
      cache: core.cache,
      cutBytes: core.limits.uploadBytes,
    });
    wal = await claim.recover({
      trim: decision.trim as WalPosition,
      // The catalogue hears of an opening only if the log is whole; the log is changed only once the catalogue has.
      accept: async () => {
        if (decision.mode === "recover") await commit();
      },
      onFrame: frames.add,
      listener: listenerOf(lifecycle, durability),
    });
    if (decision.mode === "probe")
      checkUnneeded(claim, frames, nodeRow.get(catalogue, claim.nodeId) !== undefined);
    const logs = frames.finish();
    revision ??= await commit();
    durability.start(wal.durablePosition);
    report(core, decision, frames);
    return { wal, logs, frames, revision, epoch: decision.row.epoch };
  } catch (error) {
    lifecycle.end();
    await (wal === undefined ? claim.release() : wal.abandon()).catch((cause: unknown) => {
      runtime.log.warn("wal-release-failed", { walId: claim.walId, reason: String(cause) });
    });
    core.cache.clear();
    if (isKarstError(error, "corrupt")) await refuseContest(claim, catalogue, known, error);
    throw error;
  }
}

/**
 * Damage is not damage where the node's last user has published, and trimmed, while his log was read.
 *
 * @param known revision of the node's record as this opening has read or written it last.
 * @throws KarstError `NODE_CONTESTED` (`conflict`); `CATALOGUE_UNAVAILABLE` (`unavailable`): nobody knows.
 */
async function refuseContest(
  { nodeId }: WalClaim,
  catalogue: Catalogue,
  known: Revision | undefined,
  cause: Error,
): Promise<void> {
  try {
    await catalogue.refresh();
  } catch (error) {
    throw coreError(
      "CATALOGUE_UNAVAILABLE",
      `the log of node ${nodeId} looks damaged, and whether another process goes on with it cannot be found out now: ${cause.message}`,
      error,
    );
  }
  if (nodeRow.get(catalogue, nodeId)?.revision === known) return;
  throw coreError(
    "NODE_CONTESTED",
    `another process went on with node ${nodeId} while it was being opened: start again`,
    cause,
  );
}

/** As `decide`, but that what a later claim has recorded is not taken for the sign of an old copy. @throws also as `WalClaim.checkNewest`. */
async function decideFor(
  claim: WalClaim,
  catalogue: Pick<Catalogue, "get" | "scan">,
  abandonWal: string | undefined,
): Promise<OpenDecision & { readonly tag: "start" }> {
  try {
    return decide(claim, catalogue, abandonWal);
  } catch (error) {
    if (hasCode(error, "WAL_STALE")) await claim.checkNewest();
    throw error;
  }
}

/** @throws KarstError `WAL_UNAVAILABLE` (`unavailable`), `WAL_STALE` (`corrupt`). */
function decide(
  claim: ClaimFacts,
  catalogue: Pick<Catalogue, "get" | "scan">,
  abandonWal: string | undefined,
): OpenDecision & { readonly tag: "start" } {
  const nodes = [...nodeRow.scan(catalogue)].map(({ id, value }) => ({ nodeId: id, row: value }));
  const decision = decideOpen(claim, nodes, abandonWal);
  if (decision.tag === "refuse") {
    throw decision.code === "WAL_STALE"
      ? walError(decision.code, decision.message)
      : coreError(decision.code, decision.message);
  }
  return decision;
}

function listenerOf(lifecycle: Lifecycle, durability: Durability): WalListener {
  return {
    durable: (position) => {
      // What decides an ack is looked at after durability.
      if (lifecycle.isRunning) durability.advance(position);
    },
    failed: (error) => {
      lifecycle.fail(
        isKarstError(error, "fenced")
          ? coreError("ENGINE_FENCED", "another process has claimed this engine's WAL", error)
          : coreError("ENGINE_FAILED", error.message, error),
      );
    },
  };
}

/** @throws KarstError `WAL_STALE` (`corrupt`): there is something in a WAL that the catalogue has done with, or never heard of. */
function checkUnneeded(claim: WalClaim, frames: FrameRecovery, known: boolean): void {
  const here = `the WAL ${claim.walId} at ${claim.location}`;
  if (!known && frames.taken + frames.skipped + frames.refused > 0) {
    throw walError(
      "WAL_STALE",
      `${here} holds records of a node that this root does not know: it belongs to another copy of the root; use an empty directory`,
    );
  }
  if (frames.taken + frames.refused > 0) {
    throw walError(
      "WAL_STALE",
      `${here} was drained or given up, and holds records that are in no object: remove it, or use an empty directory`,
    );
  }
}

function report(
  core: Core,
  decision: OpenDecision & { readonly tag: "start" },
  frames: FrameRecovery,
): void {
  const { metrics } = core;
  const { log } = core.runtime;
  metrics.recoveries.add(1);
  metrics.recoveredFrames.add(frames.taken);
  metrics.skippedFrames.add(frames.skipped);
  for (const node of decision.abandon) {
    for (const { walId, location } of node.wals)
      log.warn("wal-abandoned", { nodeId: node.nodeId, walId, location, reason: node.reason });
  }
}

function assemble(core: Core, recovered: Recovered, options: EngineOptions): Engine {
  const { cache, catalogue, durability, lifecycle, limits, memory, metrics, nodeId, runtime } =
    core;
  const { wal, logs } = recovered;
  const objects = new ObjectReads({
    store: options.objectStore,
    memory,
    metrics,
    blockCacheBytes: limits.blockCacheBytes,
    indexCacheBytes: Math.min(OBJECT_INDEX_CACHE_BYTES, limits.blockCacheBytes),
    signal: lifecycle.ended,
  });
  const references = new References();
  references.load(catalogue);
  runtime.log.info("engine-opened", {
    nodeId,
    epoch: recovered.epoch,
    recoveredFrames: recovered.frames.taken,
    skippedFrames: recovered.frames.skipped,
    storedStreams: references.streams,
  });
  // What was read back first, then the uploaded part of the log cache, oldest first.
  memory.evictWith(() => objects.evict() || cache.evict());
  const committer = new NodeCommitter({
    catalogue,
    runtime,
    nodeId,
    revision: recovered.revision,
    signal: lifecycle.signal,
    onFailed: (error) => lifecycle.fail(error),
  });
  const uploader = new Uploader({
    nodeId,
    nodeEpoch: recovered.epoch,
    store: options.objectStore,
    wal,
    cache,
    durability,
    committer,
    references,
    logs,
    memory,
    limits,
    lifecycle,
    runtime,
    metrics,
  });
  const appender = new Appender({
    wal,
    cache,
    durability,
    memory,
    limits,
    lifecycle,
    metrics,
    onAppended: (pressed) => uploader.appended(pressed),
  });
  const readAhead = new ReadAhead(objects, Math.floor(limits.blockCacheBytes / 4));
  const reader = new StreamReader({ cache, objects, readAhead, references, catalogue });
  uploader.adopt(recovered.frames.generations);
  return new EngineInstance({
    wal,
    cache,
    durability,
    logs,
    limits,
    memory,
    runtime,
    nodeId,
    catalogue,
    objects,
    references,
    committer,
    uploader,
    appender,
    reader,
    lifecycle,
    log: runtime.log,
  });
}
