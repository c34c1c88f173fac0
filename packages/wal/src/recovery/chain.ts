import { SEGMENT_HEADER_BYTES } from "../format/segment-header.ts";
import { follows, type ScannedGroup, type ScannedSegment } from "./scan.ts";

/** A segment that belongs to the log, and the part of it that does: groups that end in (from, to]. */
export interface ChainPart {
  readonly segment: ScannedSegment;
  readonly groups: readonly ScannedGroup[];
}

/** What the scanned segments amount to above a trim position. */
export interface Chain {
  /** No epoch was ever opened: there are no segments, or only those of openings that did not come to an end. */
  readonly found: boolean;
  /** The groups of the log, in order: older epochs up to where the next one continues, and the newest as far as it is unbroken. */
  readonly parts: readonly ChainPart[];
  /** Whether everything from the trim up to the newest epoch is there. Otherwise, what is not. */
  readonly gap: string | undefined;
  /** End of the last group of the log; the trim position where it has none. */
  readonly end: number;
  /** Everything below this was durable once. */
  readonly watermark: number;
  /** Where the newest epoch stops, and how many bytes follow that are no group. */
  readonly stop:
    | { readonly segment: ScannedSegment; readonly position: number; readonly tornBytes: number }
    | undefined;
}

/**
 * Puts the log together. An epoch counts if its first group is whole: that group was its opening's last step, it holds a copy of
 * what the opening found above its watermark, and from then on the watermark is where the epoch continues the older ones; what
 * those hold above is superseded.
 *
 * @param segments in (epoch, base) order; those that end below `trim` left out.
 */
export function assembleChain(segments: readonly ScannedSegment[], trim: number): Chain {
  const epochs = byEpochDescending(segments);
  const watermark = segments.reduce(
    (greatest, segment) => Math.max(greatest, segment.watermark),
    0,
  );
  const parts: ChainPart[] = [];
  let newest: Run | undefined;
  let stop: Chain["stop"];
  let gap: string | undefined;
  let cut = Infinity;
  for (const epoch of epochs) {
    const first = epoch[0] as ScannedSegment;
    if (first.epochBase >= cut) continue;
    if (!wasOpened(epoch)) {
      if (newest === undefined) continue;
      gap = `${first.name} should hold the log up to position ${cut}, and its first group is damaged`;
      break;
    }
    const run = runOf(epoch, trim, cut);
    if (newest === undefined) stop = stopOf(epoch, run);
    newest ??= run;
    parts.unshift(...run.parts);
    gap = run.gap ?? shortOf(epoch, run, cut);
    if (gap !== undefined) break;
    cut = run.continues;
    if (cut <= trim) break;
  }
  if (gap === undefined && newest !== undefined && cut > trim)
    gap = `no segment holds the positions from ${trim} to ${cut}`;
  const last = parts.at(-1)?.groups.at(-1);
  return {
    found: newest !== undefined,
    parts,
    gap,
    end: last?.end ?? newest?.end ?? 0,
    watermark,
    stop,
  };
}

/** One epoch's contribution. */
interface Run {
  readonly parts: readonly ChainPart[];
  /** End of its last group; `continues` where it has none. */
  readonly end: number;
  /** Position at which it continues older epochs. Where its first segments are trimmed: the base of the first that is left. */
  readonly continues: number;
  readonly gap: string | undefined;
  readonly last: ScannedSegment;
}

/** The unbroken run of groups that end at or below `cut`. */
function runOf(epoch: readonly ScannedSegment[], trim: number, cut: number): Run {
  const first = epoch[0] as ScannedSegment;
  const opening = first.base === first.epochBase ? first.groups[0] : undefined;
  const continues = opening?.watermark ?? Math.min(first.base, trim);
  const parts: ChainPart[] = [];
  let last = first;
  let before: ScannedGroup | undefined;
  let gap =
    first.base !== first.epochBase && first.base > trim
      ? `the segment before ${first.name} is missing`
      : undefined;
  if (first.base === first.epochBase && opening?.sequence !== 1)
    gap = `${first.name} does not begin with its epoch's first group`;
  for (const [i, segment] of epoch.entries()) {
    if (segment.base >= cut || gap !== undefined) break;
    const previous = epoch[i - 1];
    if (segment.epochBase !== first.epochBase)
      gap = `${segment.name} does not belong to the segments before it`;
    else if (previous !== undefined && previous.end !== segment.base)
      gap = `the segment before ${segment.name} is missing`;
    if (gap !== undefined) break;
    const head = segment.groups[0];
    if (head === undefined) continue;
    // It was written when everything below its watermark was durable, and what of that is above the trim is not here.
    if (before === undefined && head.sequence > 1 && head.watermark > trim) {
      gap = `no valid group ends at position ${head.watermark}, where ${segment.name} continues`;
      break;
    }
    if (!follows(before, head)) break;
    const groups = segment.groups.filter((group) => group.end <= cut);
    if (groups.length > 0) parts.push({ segment, groups });
    last = segment;
    before = segment.groups.at(-1);
  }
  const end = parts.at(-1)?.groups.at(-1)?.end ?? continues;
  return { parts, end, continues, gap, last };
}

/** An older epoch must reach exactly where the next one continues it. */
function shortOf(epoch: readonly ScannedSegment[], run: Run, cut: number): string | undefined {
  if (cut === Infinity || run.end === cut) return undefined;
  const last = epoch.findLast((segment) => segment.base <= run.end) as ScannedSegment;
  const at = SEGMENT_HEADER_BYTES + run.end - last.base;
  return `${last.name} has no valid group at position ${at}, below the watermark`;
}

/** A second segment is prepared only after the first group of the first one is durable. */
function wasOpened(epoch: readonly ScannedSegment[]): boolean {
  const first = epoch[0] as ScannedSegment;
  return epoch.length > 1 || first.base !== first.epochBase || first.groups.length > 0;
}

/** Bytes that are no group follow the last group itself, or stand in the segment that the next one would have gone to. */
function stopOf(epoch: readonly ScannedSegment[], run: Run): Chain["stop"] {
  const from = epoch.slice(epoch.indexOf(run.last));
  const segment = from.find((one) => one.tornBytes > 0) ?? run.last;
  const position = segment.groups.at(-1)?.end ?? segment.base;
  return { segment, position, tornBytes: from.reduce((sum, one) => sum + one.tornBytes, 0) };
}

function byEpochDescending(segments: readonly ScannedSegment[]): ScannedSegment[][] {
  const epochs = new Map<number, ScannedSegment[]>();
  for (const segment of segments) {
    const epoch = epochs.get(segment.epoch) ?? [];
    epoch.push(segment);
    epochs.set(segment.epoch, epoch);
  }
  return [...epochs.keys()]
    .toSorted((a, b) => b - a)
    .map((epoch) => epochs.get(epoch) as ScannedSegment[]);
}
