import { crc32c, viewOf } from "@karst/runtime";
// Formats are no part of a package's door.
import {
  distanceToGroup,
  frameBytes,
  GROUP_HEADER_BYTES,
  groupSeed,
  type Memory,
  readGroupHeader,
  walkFrames,
  writeFrame,
  writeGroupHeader,
} from "../../../wal/dist/format/group.js";
import {
  decodeIdentity,
  encodeIdentity,
  type IdentityState,
} from "../../../wal/dist/format/identity.js";
import { parseName, segmentName } from "../../../wal/dist/format/names.js";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
} from "../../../wal/dist/format/segment-header.js";
import type { Target } from "./target.ts";

const SEED = 0x1234_5678;
const BASE = 4096;
const ID = "0123456789abcdef0123456789abcdef";

export const walTargets: readonly Target[] = [
  {
    name: "WAL segment header",
    samples: [true, false].map((recycled) =>
      encodeSegmentHeader({
        walId: ID,
        epoch: 3,
        base: 8192,
        epochBase: 4096,
        capacity: 1 << 20,
        recycled,
        salt: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]),
      }),
    ),
    reseal: (bytes) => {
      if (bytes.length >= 76) viewOf(bytes).setUint32(72, crc32c(bytes.subarray(0, 72)));
    },
    decode: (bytes) => void decodeSegmentHeader(bytes, "segment"),
  },
  {
    name: "WAL identity",
    samples: (["created", "opened", "destroyed"] as const).map((state: IdentityState) =>
      encodeIdentity({ state, walId: ID, nodeId: ID, rootId: `root of ${state}` }),
    ),
    reseal: resealEnd,
    decode: (bytes) => void decodeIdentity(bytes, "identity"),
  },
  {
    name: "WAL group",
    samples: [group([]), group([0]), group([5, 300, 17]), group([1000, 0, 0, 8])],
    reseal: resealGroup,
    decode: (bytes) => {
      if (bytes.length < GROUP_HEADER_BYTES) return;
      const memory: Memory = { bytes, view: viewOf(bytes) };
      const header = readGroupHeader(memory, 0, BASE, SEED);
      if (header === undefined) return;
      walkFrames(memory, 0, header, SEED, (frame, start, end) => {
        const inside =
          frame.payloadAt >= 0 &&
          frame.payloadAt <= frame.payloadEnd &&
          frame.payloadEnd <= frame.end &&
          frame.end <= bytes.length &&
          start < end;
        if (!inside) throw new Error(`a frame outside its group: ${JSON.stringify(frame)}`);
        distanceToGroup(memory, start - BASE);
      });
    },
  },
  {
    name: "WAL file name",
    samples: [segmentName(7, 123_456), "fence-12", "identity", "temporary-x"].map((name) =>
      Uint8Array.from(Buffer.from(name)),
    ),
    total: true,
    decode: (bytes) => void parseName(Buffer.from(bytes).toString("latin1")),
  },
];

function group(payloads: readonly number[]): Uint8Array {
  const frames = payloads.map((bytes, i) => ({
    streamId: i,
    streamEpoch: 1,
    baseOffset: i * 10,
    count: 3,
    maxTimestampMs: 1_700_000_000_000,
    payload: new Uint8Array(bytes).fill(i + 1),
  }));
  const length = frames.reduce((sum, { payload }) => sum + frameBytes(payload), GROUP_HEADER_BYTES);
  const bytes = new Uint8Array(length);
  const memory: Memory = { bytes, view: viewOf(bytes) };
  let at = GROUP_HEADER_BYTES;
  for (const frame of frames) {
    writeFrame(memory, at, frame, at);
    at += frameBytes(frame.payload);
  }
  const framesCrc = crc32c(bytes.subarray(GROUP_HEADER_BYTES), groupSeed(SEED, BASE));
  writeGroupHeader(
    memory,
    0,
    {
      base: BASE,
      end: BASE + length,
      sequence: 2,
      watermark: 4000,
      frameCount: frames.length,
      framesCrc,
    },
    SEED,
  );
  return bytes;
}

/** Length and both checksums, as far as they are there. */
function resealGroup(bytes: Uint8Array): void {
  if (bytes.length < GROUP_HEADER_BYTES) return;
  const view = viewOf(bytes);
  const length = view.getUint32(8);
  if (length >= GROUP_HEADER_BYTES && length <= bytes.length)
    view.setUint32(40, crc32c(bytes.subarray(GROUP_HEADER_BYTES, length), groupSeed(SEED, BASE)));
  view.setUint32(4, crc32c(bytes.subarray(8, GROUP_HEADER_BYTES), groupSeed(SEED, BASE)));
}

/** A checksum of everything before it, at the end. */
export function resealEnd(bytes: Uint8Array): void {
  if (bytes.length < 4) return;
  viewOf(bytes).setUint32(bytes.length - 4, crc32c(bytes.subarray(0, bytes.length - 4)));
}
