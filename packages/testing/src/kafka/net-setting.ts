import type { Random } from "@karst/runtime";
import { pick } from "../world/draw.ts";

/** How chunks of the network are cut, and how long they take. */
export interface NetSetting {
  readonly chunkBytesMax: number;
  readonly windowBytes: number;
  /** Greatest time of a step; 0: no time. */
  readonly latencyMsMax: number;
}

/** None of them so slow that a legal request takes longer than a client waits. */
const NETS: readonly Omit<NetSetting, "windowBytes">[] = [
  { chunkBytesMax: 16_384, latencyMsMax: 0 },
  { chunkBytesMax: 40, latencyMsMax: 0 },
  { chunkBytesMax: 60, latencyMsMax: 1 },
  { chunkBytesMax: 300, latencyMsMax: 2 },
  { chunkBytesMax: 2_000, latencyMsMax: 20 },
  { chunkBytesMax: 16_384, latencyMsMax: 20 },
];
export function drawNet(random: Random): NetSetting {
  return { ...pick(random, NETS), windowBytes: pick(random, [300, 4_096, 65_536]) };
}
