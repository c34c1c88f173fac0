import { walError } from "../errors.ts";
import {
  GROUP_HEADER_BYTES,
  GROUP_MAGIC_FIRST_BYTE,
  type GroupHeader,
  readGroupHeader,
  walkFrames,
} from "../format/group.ts";
import {
  decodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentSeed,
} from "../format/segment-header.ts";
import type { SegmentDevice } from "../segment-device.ts";
import { SegmentWindow } from "./segment-window.ts";

/** What one segment file says. Positions are the WAL's. */
export interface ScannedSegment {
  readonly name: string;
  readonly epoch: number;
  readonly base: number;
  readonly epochBase: number;
  /** Position after the segment's last byte. */
  readonly end: number;
  readonly seed: number;
  /** The unbroken run of valid groups at the segment's beginning. */
  readonly groups: readonly ScannedGroup[];
  /**
   * Bytes after that run that were meant to be a group. In a segment that was prewritten with zeros: up to the last one that is
   * not zero. In a recycled one, whose space was never zero: those of a group whose header is there and whose frames are not.
   */
  readonly tornBytes: number;
  /** Greatest watermark in any group header, valid group or not; 0 where there is none. */
  readonly watermark: number;
}

export interface ScannedGroup {
  readonly base: number;
  readonly end: number;
  readonly sequence: number;
  readonly watermark: number;
}

/** A segment file as listed: its name and size only. */
export interface ListedSegment {
  readonly name: string;
  readonly epoch: number;
  readonly base: number;
  readonly fileBytes: number;
}

/** Reads and verifies a whole segment. @throws KarstError `WAL_CORRUPT`, `WAL_VERSION`: the file is no segment of this WAL. */
export async function scanSegment(options: {
  readonly device: SegmentDevice;
  readonly listed: ListedSegment;
  readonly walId: string;
  readonly scanBytes: number;
}): Promise<ScannedSegment> {
  const { device, listed } = options;
  const window = new SegmentWindow(device, listed.name, listed.fileBytes, options.scanBytes);
  const header = await readHeader(window, options);
  const seed = segmentSeed(window.bytes(0, SEGMENT_HEADER_BYTES));
  const positionOf = (at: number): number => header.base + at - SEGMENT_HEADER_BYTES;

  const groups: ScannedGroup[] = [];
  let watermark = 0;
  let at = SEGMENT_HEADER_BYTES;
  let brokenBytes = 0;
  for (;;) {
    const group = await headerAt(window, at, positionOf(at), seed);
    if (group === undefined) break;
    watermark = Math.max(watermark, group.watermark);
    const { base, end, sequence } = group;
    brokenBytes = end - base;
    if (!follows(groups.at(-1), group)) break;
    if (at + end - base > listed.fileBytes) break;
    await window.load(at, end - base);
    if (!walkFrames(window.memory, window.offsetOf(at), group, seed)) break;
    groups.push({ base, end, sequence, watermark: group.watermark });
    at += end - base;
    brokenBytes = 0;
  }
  const usedBytes = await scanRest(window, at, listed.fileBytes, async (candidate) => {
    const group = await headerAt(window, candidate, positionOf(candidate), seed);
    if (group !== undefined) watermark = Math.max(watermark, group.watermark);
  });
  const tornBytes = header.recycled ? brokenBytes : usedBytes;
  const { epoch, base, epochBase, capacity } = header;
  return {
    name: listed.name,
    epoch,
    base,
    epochBase,
    end: base + capacity,
    seed,
    groups,
    tornBytes,
    watermark,
  };
}

async function readHeader(
  window: SegmentWindow,
  { device, listed, walId }: { device: SegmentDevice; listed: ListedSegment; walId: string },
): Promise<SegmentHeader> {
  const file = `${device.location}/${listed.name}`;
  await window.load(0, Math.min(SEGMENT_HEADER_BYTES, listed.fileBytes));
  const header = decodeSegmentHeader(
    window.bytes(0, Math.min(SEGMENT_HEADER_BYTES, listed.fileBytes)),
    file,
  );
  if (header.walId !== walId)
    throw walError("WAL_CORRUPT", `${file} belongs to WAL ${header.walId}, not to ${walId}`);
  if (header.epoch !== listed.epoch || header.base !== listed.base) {
    throw walError(
      "WAL_CORRUPT",
      `${file} was written under another name: epoch ${header.epoch}, base ${header.base}`,
    );
  }
  if (header.capacity !== listed.fileBytes - SEGMENT_HEADER_BYTES) {
    throw walError(
      "WAL_CORRUPT",
      `${file} has ${listed.fileBytes} bytes, not ${header.capacity + SEGMENT_HEADER_BYTES} as it was made`,
    );
  }
  return header;
}

async function headerAt(
  window: SegmentWindow,
  at: number,
  position: number,
  seed: number,
): Promise<GroupHeader | undefined> {
  if (at + GROUP_HEADER_BYTES > window.fileBytes) return undefined;
  await window.load(at, GROUP_HEADER_BYTES);
  return readGroupHeader(window.memory, window.offsetOf(at), position, seed);
}

/** Within an epoch each group says that everything before it was durable: one write is in flight at a time. */
export function follows(before: ScannedGroup | undefined, group: ScannedGroup): boolean {
  return (
    before === undefined ||
    (group.sequence === before.sequence + 1 && group.watermark === before.end)
  );
}

/**
 * Looks at every byte from `at` on; `onCandidate` is told wherever a group's header may begin.
 *
 * @returns the length up to the last byte that is not zero.
 */
async function scanRest(
  window: SegmentWindow,
  at: number,
  end: number,
  onCandidate: (candidate: number) => Promise<void>,
): Promise<number> {
  let usedBytes = 0;
  for (let from = at; from < end; from += window.windowBytes) {
    const length = Math.min(window.windowBytes, end - from);
    await window.load(from, length);
    const used = lengthWithoutZeros(window.bytes(from, length));
    if (used === 0) continue;
    usedBytes = from + used - at;
    // Collected first: looking at one moves the window.
    for (const candidate of candidates(window.bytes(from, length), from))
      await onCandidate(candidate);
  }
  return usedBytes;
}

function candidates(bytes: Uint8Array, from: number): number[] {
  const found: number[] = [];
  for (
    let i = bytes.indexOf(GROUP_MAGIC_FIRST_BYTE);
    i >= 0;
    i = bytes.indexOf(GROUP_MAGIC_FIRST_BYTE, i + 1)
  ) {
    // A header's further magic bytes, as far as they are in this window.
    if (
      i + 4 <= bytes.length &&
      (bytes[i + 1] !== 0x57 || bytes[i + 2] !== 0x47 || bytes[i + 3] !== 0x52)
    )
      continue;
    found.push(from + i);
  }
  return found;
}

/** Length up to the last byte that is not zero. Compares four bytes at a time where they are aligned. */
function lengthWithoutZeros(bytes: Uint8Array): number {
  const head = Math.min(-bytes.byteOffset & 3, bytes.length);
  const wordCount = (bytes.length - head) >>> 2;
  let length = bytes.length;
  while (length > head + wordCount * 4 && bytes[length - 1] === 0) length -= 1;
  if (length > head + wordCount * 4) return length;
  if (wordCount > 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, wordCount);
    let word = wordCount;
    while (word > 0 && words[word - 1] === 0) word -= 1;
    length = head + word * 4;
  }
  while (length > 0 && bytes[length - 1] === 0) length -= 1;
  return length;
}
