import {
  type BlockingFiles,
  type Clock,
  isKarstError,
  type KarstError,
  type Logger,
  noMetrics,
  type Random,
  type Runtime,
  silentLogger,
  type SlabPool,
} from "@karst/runtime";
import {
  fileWal,
  type HolderProbe,
  simulatedDevice,
  type Wal,
  type WalLimits,
  type WalListener,
  type WalPosition,
} from "@karst/wal";
import type { Invariants } from "../world/invariants.ts";
import { idOf } from "./frames.ts";
import type { Entry } from "./history.ts";

export const WAL_DIRECTORY = "/data/wal";
export const WAL_ROOT = "root";

export interface OpenWalOptions {
  /** Of the life that the WAL is to live in. */
  readonly files: BlockingFiles;
  readonly clock: Clock;
  /** Of the device's steps. */
  readonly stepClock: Clock;
  readonly stepMs?: () => number;
  readonly random: Random;
  readonly slabs: SlabPool;
  readonly limits: Partial<WalLimits>;
  /** Read after the claim, as an owner reads the catalogue. */
  readonly trim: () => WalPosition;
  readonly listener: WalListener;
  readonly holder?: HolderProbe;
  readonly invariants: Invariants;
  /** A torn tail has been cut. */
  readonly onCut?: () => void;
  readonly onClaimed?: (epoch: number) => void;
}

export type Opening =
  | {
      readonly tag: "opened";
      readonly wal: Wal;
      readonly epoch: number;
      readonly found: readonly Entry[];
    }
  | { readonly tag: "failed"; readonly error: KarstError; readonly claimed: boolean };

/** Claims and recovers the WAL; every frame is compared with what was appended. Errors that are no KarstError are thrown. */
export async function openWal(options: OpenWalOptions): Promise<Opening> {
  const found: Entry[] = [];
  let claimed = false;
  try {
    const claim = await factoryOf(options).claim({ rootId: WAL_ROOT });
    claimed = true;
    options.onClaimed?.(claim.epoch);
    try {
      const wal = await claim.recover({
        trim: options.trim(),
        onFrame: (frame) => {
          const id = idOf(frame);
          options.invariants.check(
            "W6",
            id !== undefined,
            () =>
              `a frame that nobody appended was recovered at ${frame.start}: stream ${frame.streamId}, ${frame.payload.length} bytes`,
          );
          found.push({ id, start: frame.start, end: frame.end });
          frame.slab.release();
        },
        listener: options.listener,
      });
      return { tag: "opened", wal, epoch: claim.epoch, found };
    } catch (error) {
      await claim.release();
      throw error;
    }
  } catch (error) {
    if (!isKarstError(error)) throw error;
    return { tag: "failed", error, claimed };
  }
}

function factoryOf(options: OpenWalOptions): ReturnType<typeof fileWal> {
  const { files, stepClock, stepMs, holder, onCut } = options;
  const log: Logger =
    onCut === undefined
      ? silentLogger
      : {
          ...silentLogger,
          warn: (event) => {
            if (event === "wal-tail-cut") onCut();
          },
        };
  // A WAL asks for neither: its device has the files.
  const runtime = {
    clock: options.clock,
    random: options.random,
    log,
    metrics: noMetrics,
  } as unknown as Runtime;
  return fileWal({
    runtime,
    slabs: options.slabs,
    limits: options.limits,
    device: () =>
      simulatedDevice({
        files,
        directory: WAL_DIRECTORY,
        clock: stepClock,
        ...(stepMs === undefined ? {} : { stepMs }),
        ...(holder === undefined ? {} : { holder }),
      }),
  });
}
