import { type Chain, assembleChain } from "./chain.ts";
import { hasCode } from "@karst/runtime";
import { walError } from "../errors.ts";
import { parseName } from "../format/names.ts";
import { SEGMENT_HEADER_BYTES } from "../format/segment-header.ts";
import type { SegmentDevice } from "../segment-device.ts";
import { type ListedSegment, type ScannedSegment, scanSegment } from "./scan.ts";
import { decide, type Findings, type Verdict } from "./verdict.ts";

/** A directory's segments, read and judged. */
export interface Survey {
  readonly verdict: Exclude<Verdict, "corrupt" | "stale">;
  readonly chain: Chain;
  /** Those that do not end below the trim. */
  readonly scanned: readonly ScannedSegment[];
  /** All segments of the directory, in (epoch, base) order. */
  readonly listed: readonly ListedSegment[];
  /** Position above every one that any earlier epoch has given, as far as it matters. */
  readonly freeBase: number;
}

export interface SurveyOptions {
  readonly device: SegmentDevice;
  readonly walId: string;
  readonly opened: boolean;
  readonly trim: number;
  readonly scanBytes: number;
}

/** @throws KarstError `WAL_CORRUPT`, `WAL_STALE`, `WAL_VERSION` (`corrupt`); `WAL_IN_USE` (`conflict`). Changes nothing. */
export async function survey(options: SurveyOptions): Promise<Survey> {
  const { device, trim } = options;
  let listed: readonly ListedSegment[] = [];
  try {
    listed = await listSegments(device);
    const scanned: ScannedSegment[] = [];
    for (const one of listed) {
      if (endOf(one) < trim) continue;
      scanned.push(
        await scanSegment({
          device,
          listed: one,
          walId: options.walId,
          scanBytes: options.scanBytes,
        }),
      );
    }
    const chain = assembleChain(scanned, trim);
    const findings = findingsOf(options, listed, scanned, chain);
    const verdict = decide(findings);
    if (verdict === "corrupt" || verdict === "stale")
      throw refusal(verdict, options, findings, chain);
    return {
      verdict,
      chain,
      scanned,
      listed,
      freeBase: listed.reduce((base, one) => Math.max(base, endOf(one)), trim),
    };
  } catch (error) {
    if (hasCode(error, "FILE_NOT_FOUND") || !(await sameSegments(device, listed))) {
      throw walError(
        "WAL_IN_USE",
        `${device.location} changed while it was read: another process is still using it`,
        error,
      );
    }
    throw error;
  }
}

export async function listSegments(device: SegmentDevice): Promise<ListedSegment[]> {
  const segments: ListedSegment[] = [];
  for (const { name } of await device.list()) {
    const parsed = parseName(name);
    if (parsed.tag !== "segment") continue;
    segments.push({
      name,
      epoch: parsed.epoch,
      base: parsed.base,
      fileBytes: await device.size(name),
    });
  }
  return segments.toSorted((a, b) => a.epoch - b.epoch || a.base - b.base);
}

function findingsOf(
  { opened, trim }: SurveyOptions,
  listed: readonly ListedSegment[],
  scanned: readonly ScannedSegment[],
  chain: Chain,
): Findings {
  const none = listed.length > 0 && scanned.length === 0 ? "trimmed" : "nothing";
  const below = chain.end < trim ? "below-trim" : "all";
  return {
    opened,
    found: chain.found ? "log" : none,
    gap: chain.gap !== undefined,
    reach: chain.end < chain.watermark ? "below-watermark" : below,
    torn: (chain.stop?.tornBytes ?? 0) > 0,
  };
}

function refusal(
  verdict: "corrupt" | "stale",
  options: SurveyOptions,
  findings: Findings,
  chain: Chain,
): Error {
  const { location } = options.device;
  if (verdict === "stale") {
    return walError(
      "WAL_STALE",
      `${location} holds nothing of the log from position ${options.trim} on, which the catalogue knows it to have reached: ` +
        `this is an old copy of the WAL. Put the newest copy there, or, if that is lost, start with an empty directory and abandon WAL ${options.walId}`,
    );
  }
  return walError(
    "WAL_CORRUPT",
    `${location}: ${damage(findings, chain)}. Nothing was changed. Restore the directory from a copy`,
  );
}

function damage(findings: Findings, { gap, stop, watermark, end }: Chain): string {
  if (findings.found === "nothing")
    return "the WAL has been used before, and its segments are missing";
  if (gap !== undefined) return gap;
  if (stop === undefined) return `the log ends at ${end} and was durable up to ${watermark}`;
  const at = SEGMENT_HEADER_BYTES + stop.position - stop.segment.base;
  return `${stop.segment.name} has no valid group at position ${at}, below the watermark: the log was durable up to ${watermark} and ends at ${end}`;
}

async function sameSegments(
  device: SegmentDevice,
  listed: readonly ListedSegment[],
): Promise<boolean> {
  const names = new Set((await device.list()).map((entry) => entry.name));
  return listed.every((one) => names.has(one.name));
}

function endOf({ base, fileBytes }: ListedSegment): number {
  return base + Math.max(0, fileBytes - SEGMENT_HEADER_BYTES);
}
