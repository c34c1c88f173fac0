import {
  type DiskTurns,
  isKarstError,
  type KarstError,
  type Random,
  type Runtime,
  type Slab,
  type SlabPool,
} from "@karst/runtime";
import { walError } from "../errors.ts";
import { FileWal } from "../file-wal.ts";
import { frameBytes, GROUP_HEADER_BYTES } from "../format/group.ts";
import type { Identity } from "../format/identity.ts";
import { fenceName, parseName } from "../format/names.ts";
import { SEGMENT_HEADER_BYTES } from "../format/segment-header.ts";
import { addFrame, finishGroup, GroupBuffer } from "../group-buffer.ts";
import type { WalLimits } from "../limits.ts";
import type { StoredSegment } from "../read-frame.ts";
import type { SegmentDevice } from "../segment-device.ts";
import { type PlannedSegment, SegmentPlan } from "../segment-plan.ts";
import type { RecoveredFrame, WalListener, WalPosition } from "../wal.ts";
import type { ChainPart } from "./chain.ts";
import { deliverGroups } from "./deliver.ts";
import type { ScannedSegment } from "./scan.ts";
import { type Survey, survey } from "./survey.ts";

export interface RecoverOptions {
  readonly device: SegmentDevice;
  readonly runtime: Runtime;
  readonly random: Random;
  readonly slabs: SlabPool;
  readonly limits: WalLimits;
  readonly turns: DiskTurns;
  readonly identity: Identity;
  readonly epoch: number;
  readonly trim: number;
  readonly accept?: () => Promise<void>;
  readonly onFrame: (frame: RecoveredFrame) => void;
  readonly listener: WalListener;
  /** Records that the WAL has been opened: from now on it must have segments. */
  readonly markOpened: () => Promise<void>;
  readonly removeAll: () => Promise<void>;
  readonly release: () => Promise<void>;
}

/** A log's durable part, which stays where it is, and its tail, which is written anew. */
interface Split {
  readonly kept: readonly ChainPart[];
  readonly tail: readonly ChainPart[];
  /** End of the durable part: where the new epoch continues the older ones. */
  readonly continues: number;
}

/**
 * Opens a claimed WAL: survey, its owner's consent, opening group, and only then anything else.
 *
 * The opening group is the first write of the new epoch: it holds a copy of everything above the watermark, which an earlier
 * failed sync may have left in the page cache alone, and says at which position the epoch continues the older ones. Before it is
 * durable the epoch does not count; after that nothing that it copied is needed any more. See docs/formats/wal.md.
 */
export async function recover(options: RecoverOptions): Promise<FileWal> {
  const { device, runtime, slabs, identity, epoch, trim, limits } = options;
  const found = await survey({
    device,
    walId: identity.walId,
    opened: identity.state === "opened",
    trim,
    scanBytes: limits.scanBytes,
  });
  await options.accept?.();
  reportCut(runtime, device, found);
  const split = splitAtWatermark(found, trim);

  // Told of by the plan, which begins to prepare segments only for the instance that is made last.
  const instance: { wal?: FileWal } = {};
  const plan = new SegmentPlan({
    device,
    clock: runtime.clock,
    random: options.random,
    log: runtime.log,
    limits,
    walId: identity.walId,
    epoch,
    epochBase: found.freeBase,
    onPrepared: () => instance.wal?.prepared(),
    onRefused: () => instance.wal?.refused(),
    onFenced: (error) => instance.wal?.fail(error),
  });
  const opening = await writeOpening(options, plan, split);
  try {
    if (identity.state !== "opened") await options.markOpened();
    await removeLeftovers(options, found, split);
    for (const { segment, groups } of split.kept) {
      await deliverGroups({ device, slabs, segment, groups, trim, onFrame: options.onFrame });
    }
  } catch (error) {
    for (const frame of opening.frames) frame.slab.release();
    throw error;
  }
  for (const frame of opening.frames) options.onFrame(frame);

  const wal = new FileWal({
    device,
    runtime,
    slabs,
    limits,
    turns: options.turns,
    walId: identity.walId,
    epoch,
    listener: options.listener,
    plan,
    older: retained(found, split).map((segment): StoredSegment => segment),
    trim,
    end: opening.end,
    marked: opening.frames.length === 0,
    removeAll: options.removeAll,
    release: options.release,
  });
  instance.wal = wal;
  return wal;
}

/** Segments that hold what is kept, and the empty ones between them: the chain of an epoch's segments has no holes. */
function retained(found: Survey, split: Split): ScannedSegment[] {
  return found.scanned.filter((one) =>
    split.kept.some(({ segment }) => segment.epoch === one.epoch && segment.base >= one.base),
  );
}

function splitAtWatermark({ chain }: Survey, trim: number): Split {
  const durable = Math.max(chain.watermark, trim);
  const part = (keep: (end: number) => boolean): ChainPart[] =>
    chain.parts
      .map(({ segment, groups }) => ({
        segment,
        groups: groups.filter((group) => keep(group.end)),
      }))
      .filter(({ groups }) => groups.length > 0);
  const kept = part((end) => end <= durable);
  const tail = part((end) => end > durable);
  // Where the newest epoch has nothing but its opening group above the watermark, the new one continues what that continued.
  const first = tail[0]?.groups[0];
  const continues =
    kept.at(-1)?.groups.at(-1)?.end ?? (first?.sequence === 1 ? first.watermark : trim);
  return { kept, tail, continues };
}

interface Opening {
  readonly frames: readonly RecoveredFrame[];
  readonly end: number;
}

/** Copies the tail into one group, the new epoch's first, and makes it durable. */
async function writeOpening(
  options: RecoverOptions,
  plan: SegmentPlan,
  split: Split,
): Promise<Opening> {
  const { device, slabs, limits, trim, epoch } = options;
  const frames: RecoveredFrame[] = [];
  const copies: RecoveredFrame[] = [];
  let held: Slab | undefined;
  const buffer = new GroupBuffer(slabs, limits);
  try {
    for (const { segment, groups } of split.tail) {
      await deliverGroups({
        device,
        slabs,
        segment,
        groups,
        trim,
        onFrame: (frame) => frames.push(frame),
      });
    }
    const groupBytes = frames.reduce(
      (sum, frame) => sum + frameBytes(frame.payload),
      GROUP_HEADER_BYTES,
    );
    buffer.reserve(groupBytes);
    const segment = await createFirst(plan, groupBytes);
    const group = buffer.begin({ ...segment, used: 0 });
    held = group.slab;
    for (const frame of frames) {
      const start = (group.base + group.length) as WalPosition;
      const payloadAt = addFrame(group, frame, frameBytes(frame.payload));
      const end = (group.base + group.length) as WalPosition;
      const payload = group.slab.bytes.subarray(payloadAt, payloadAt + frame.payload.length);
      group.slab.retain();
      copies.push({ ...frame, payload, start, end, slab: group.slab });
    }
    const end = group.base + group.length;
    const bytes = finishGroup(group, { sequence: 1, watermark: split.continues });
    await device.write({ name: segment.name, position: SEGMENT_HEADER_BYTES, bytes, epoch });
    return { frames: copies, end };
  } catch (error) {
    for (const copy of copies) copy.slab.release();
    throw asOpeningError(error);
  } finally {
    for (const frame of frames) frame.slab.release();
    held?.release();
    buffer.close();
  }
}

async function createFirst(plan: SegmentPlan, groupBytes: number): Promise<PlannedSegment> {
  try {
    return await plan.start(groupBytes);
  } catch (error) {
    if (!isKarstError(error) || error.code !== "NO_SPACE") throw error;
    throw walError("WAL_FULL", "there is no space for the WAL's next segment", error);
  }
}

/** Failed reads and writes of an opening end this claim; the next one begins anew. */
function asOpeningError(error: unknown): KarstError {
  if (isKarstError(error) && error.code !== "IO_ERROR" && error.code !== "NO_SPACE") return error;
  return walError(
    "WAL_FAILED",
    `the WAL cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
    error,
  );
}

/** Removes what does not belong to the log any more, now that the opening group is durable. Failing here harms nothing. */
async function removeLeftovers(
  { device, epoch, runtime }: RecoverOptions,
  found: Survey,
  split: Split,
): Promise<void> {
  const kept = new Set(retained(found, split).map((segment) => segment.name));
  const names = found.listed.filter((one) => !kept.has(one.name)).map((one) => one.name);
  try {
    const fences: number[] = [];
    for (const { name } of await device.list()) {
      const parsed = parseName(name);
      if (parsed.tag === "temporary") names.push(name);
      if (parsed.tag === "fence" && parsed.epoch < epoch) fences.push(parsed.epoch);
    }
    // In ascending order: see `DeviceSteps`.
    names.push(...fences.toSorted((a, b) => a - b).map(fenceName));
    if (names.length > 0) await device.remove(names);
  } catch (error) {
    runtime.log.warn("wal-leftovers-not-removed", {
      location: device.location,
      reason: String(error),
    });
  }
}

function reportCut(runtime: Runtime, device: SegmentDevice, { verdict, chain }: Survey): void {
  if (verdict !== "cut" || chain.stop === undefined) return;
  const { segment, position, tornBytes } = chain.stop;
  const at = SEGMENT_HEADER_BYTES + position - segment.base;
  runtime.log.warn("wal-tail-cut", {
    location: device.location,
    segment: segment.name,
    position: at,
    bytes: tornBytes,
  });
}
