import type { DiskEffect, DiskOperation } from "@karst/runtime/testing";
import type { WalLimits } from "@karst/wal";
import type { QuickRandom } from "./quick-random.ts";

/** One way for the disk to fail. `after`: what was asked for has been done, and then it fails. */
export interface Harm {
  readonly on: DiskOperation;
  readonly effect: DiskEffect | "after";
}

export const HARMS: readonly Harm[] = [
  { on: "datasync", effect: "EIO" },
  { on: "datasync", effect: "lost-sync" },
  { on: "datasync", effect: "after" },
  { on: "write", effect: "EIO" },
  { on: "write", effect: "ENOSPC" },
  { on: "write", effect: "short-write" },
  { on: "write", effect: "after" },
  { on: "rename", effect: "EIO" },
  { on: "rename", effect: "after" },
  { on: "remove", effect: "EIO" },
  { on: "remove", effect: "after" },
  { on: "syncDirectory", effect: "EIO" },
  { on: "syncDirectory", effect: "after" },
  { on: "open", effect: "EIO" },
  { on: "open", effect: "after" },
  { on: "close", effect: "EIO" },
  { on: "list", effect: "EIO" },
  { on: "read", effect: "EIO" },
  { on: "size", effect: "EIO" },
];

export function labelOf({ on, effect }: Harm): string {
  return `fault ${on} ${effect}`;
}

export const STEPS = [
  "append",
  "burst",
  "work",
  "turn",
  "advance",
  "flush",
  "trim",
  "read",
  "reopen",
  "abandon",
  "power",
  "kill",
  "trap",
  "usurp",
  "rival",
  "harm",
  "full",
  "room",
] as const;
export type StepName = (typeof STEPS)[number];

/** What a seed's run is like: runs that do a few things often find what runs that do everything now and then do not. */
export interface Swarm {
  readonly limits: Partial<WalLimits>;
  readonly slabBytes: number;
  readonly stepMsMax: number;
  readonly payloadMax: number;
  readonly steps: number;
  readonly weights: Readonly<Record<StepName, number>>;
  readonly harms: readonly Harm[];
  /** Harms that stay, of a hundred. */
  readonly persistentPercent: number;
  /** A second opener asks first whether the first one lives. */
  readonly courtesy: boolean;
  /** Operations of the disk around which crashes are tried, of a hundred. */
  readonly samplePercent: number;
}

const WEIGHTS: Readonly<Record<StepName, number>> = {
  append: 10,
  burst: 4,
  work: 3,
  turn: 4,
  advance: 4,
  flush: 5,
  trim: 4,
  read: 2,
  reopen: 2,
  abandon: 1,
  power: 2,
  kill: 2,
  trap: 2,
  usurp: 2,
  rival: 2,
  harm: 3,
  full: 1,
  room: 2,
};

/** What every run does; it may do without any of the others. */
const ALWAYS: ReadonlySet<StepName> = new Set([
  "append",
  "turn",
  "advance",
  "flush",
  "read",
  "room",
]);

export function drawSwarm(random: QuickRandom): Swarm {
  const weights = { ...WEIGHTS };
  for (const step of STEPS.filter((name) => !ALWAYS.has(name))) {
    if (random.chance(35)) weights[step] = 0;
    else if (random.chance(25)) weights[step] *= 3;
  }
  const groupBytesMax = random.pick([200, 400, 700]);
  const firstSegmentBytes = random.pick([400, 700, 1024]);
  return {
    limits: {
      segmentBytes: random.pick([firstSegmentBytes, 1024, 1536, 2048]),
      firstSegmentBytes,
      groupBytesMax,
      groupFramesMax: random.pick([1, 3, 8]),
      frameBytesMax: 8192,
      pendingBytesMax: random.pick([800, 2000, 4000]),
      scanBytes: random.pick([300, 600, 4096]),
      prepareRetryMs: 10,
      prepareRetryMaxMs: 40,
    },
    slabBytes: random.pick([1024, 2048]),
    stepMsMax: random.pick([0, 0, 2, 6]),
    payloadMax: random.pick([40, 200, 200, 900, 3000]),
    steps: random.integer(15, 45),
    weights,
    harms: HARMS.filter(() => random.chance(30)),
    persistentPercent: random.pick([0, 0, 20]),
    courtesy: random.chance(15),
    samplePercent: random.pick([3, 6, 12]),
  };
}
