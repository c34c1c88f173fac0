import { DiskTurns, type Runtime, type SlabPool } from "@karst/runtime";
import { inlineDevice } from "./drivers/inline.ts";
import { workerDevice } from "./drivers/worker.ts";
import { FileClaim } from "./file-claim.ts";
import { walLimits, type WalLimits } from "./limits.ts";
import type { SegmentDevice } from "./segment-device.ts";
import type { WalFactory } from "./wal.ts";

export type DeviceKind = "worker" | "inline";

export type FileWalFactoryOptions = {
  readonly runtime: Runtime;
  /** Where frames are kept until nobody needs them; the WAL writes from it. */
  readonly slabs: SlabPool;
  readonly limits?: Partial<WalLimits>;
  /** Of the disk: the writes that appends wait for are the urgent ones. */
  readonly turns?: DiskTurns;
} & (
  | {
      readonly directory: string;
      /** Which thread does the I/O; default `worker`. */
      readonly deviceKind?: DeviceKind;
    }
  /** Makes the device of one claim, which the claim closes. */
  | { readonly device: () => SegmentDevice }
);

/** A WAL in a directory of a local disk. */
export function fileWal(options: FileWalFactoryOptions): WalFactory {
  const { runtime, slabs } = options;
  const limits = walLimits(options.limits);
  const turns = options.turns ?? new DiskTurns();
  const makeDevice =
    "device" in options
      ? options.device
      : deviceMaker(options.directory, options.deviceKind ?? "worker");
  const random = runtime.random.fork("directory" in options ? `wal ${options.directory}` : "wal");
  return {
    kind: "file",
    claim: (claiming) =>
      FileClaim.take({ device: makeDevice(), runtime, random, slabs, limits, turns }, claiming),
  };
}

function deviceMaker(directory: string, kind: DeviceKind): () => SegmentDevice {
  return kind === "inline" ? () => inlineDevice(directory) : () => workerDevice(directory);
}
