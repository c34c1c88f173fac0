import { crc32c, viewOf } from "@karst/runtime";
// Formats are no part of a package's door.
import {
  ChunkWriter,
  decodeChunk,
  decodeRecent,
  encodeRecent,
} from "../../../core/dist/catalogue/object-log/chunk.js";
import { decodeEntry, encodeEntry } from "../../../core/dist/catalogue/object-log/entry.js";
import {
  decodeManifest,
  encodeManifest,
} from "../../../core/dist/catalogue/object-log/manifest.js";
import { encodeTransaction } from "../../../core/dist/catalogue/object-log/transaction-codec.js";
import { counterRow } from "../../../core/dist/catalogue/rows/counter-row.js";
import { nodeRow } from "../../../core/dist/catalogue/rows/node-row.js";
import { objectRow } from "../../../core/dist/catalogue/rows/object-row.js";
import { rangeTable } from "../../../core/dist/catalogue/rows/range-table.js";
import { rootRow } from "../../../core/dist/catalogue/rows/root-row.js";
import { streamEndRow } from "../../../core/dist/catalogue/rows/stream-end-row.js";
import { streamOwnerRow } from "../../../core/dist/catalogue/rows/stream-owner-row.js";
import { streamStartRow } from "../../../core/dist/catalogue/rows/stream-start-row.js";
import { topicRow } from "../../../core/dist/catalogue/rows/topic-row.js";
import { Block, encodeBlock } from "../../../core/dist/format/object-block.js";
import { decodeFooter, encodeFooter } from "../../../core/dist/format/object-footer.js";
import { checkHeader, encodeHeader } from "../../../core/dist/format/object-header.js";
import {
  type BlockEntry,
  encodeIndex,
  ObjectIndex,
} from "../../../core/dist/format/object-index.js";
import { decodeStateBlock, encodeStateBlock } from "../../../core/dist/partition/state-block.js";
import type { Revision } from "@karst/core";
import { concatBytes } from "@karst/runtime";
import type { Target } from "./target.ts";
import { resealEnd } from "./wal-targets.ts";

const ID = "0123456789abcdef0123456789abcdef";
const NUMBER = 7;
const TIME_MS = 1_700_000_000_000;
const INDEX_AT = 4096;
const INDEX_ENTRY_BYTES = 60;
const FOOTER_BYTES = 36;

const transaction = {
  id: ID,
  require: [
    { key: "nodes/a", revision: 3 as Revision },
    { key: "streams/end/1", revision: "absent" as const },
  ],
  put: [
    { key: "streams/end/1", value: Uint8Array.from([6, 1, 5, 0]) },
    { key: "streams/end/2", value: new Uint8Array(20) },
  ],
  delete: ["topics/b"],
};

const entries: readonly BlockEntry[] = [
  {
    kind: "data",
    streamId: 1,
    startOffset: 0,
    endOffset: 10,
    records: 7,
    position: 16,
    bytes: 100,
    maxTimestampMs: TIME_MS,
    crc: 1,
  },
  {
    kind: "data",
    streamId: 1,
    startOffset: 20,
    endOffset: 30,
    records: 10,
    position: 116,
    bytes: 100,
    maxTimestampMs: -1,
    crc: 2,
  },
  {
    kind: "state",
    streamId: 1,
    startOffset: 30,
    endOffset: 30,
    records: 0,
    position: 216,
    bytes: 64,
    maxTimestampMs: -1,
    crc: 3,
  },
  {
    kind: "data",
    streamId: 5,
    startOffset: 3,
    endOffset: 9,
    records: 6,
    position: 280,
    bytes: 50,
    maxTimestampMs: TIME_MS,
    crc: 4,
  },
];

const block = concatBytes(
  encodeBlock(
    [40, 0, 300].map((bytes, i) => ({
      baseOffset: i * 10,
      endOffset: i * 10 + 4,
      maxTimestampMs: TIME_MS + i,
      payload: new Uint8Array(bytes).fill(i),
    })),
  ).parts,
);

const wal = {
  walId: ID,
  kind: "file" as const,
  location: "/data/wal",
  epoch: 4,
  trim: 900,
  state: "active" as const,
};
const node = { epoch: 2, state: { tag: "open" } as const, wals: [wal], lastTx: ID, decidedSeq: 12 };
const range = {
  streamId: 4,
  sourceStreamId: 4,
  start: 0,
  end: 100,
  records: 90,
  bytes: 5000,
  maxTimestampMs: TIME_MS,
};

const rows: Readonly<
  Record<
    string,
    { readonly samples: readonly Uint8Array[]; readonly decode: (bytes: Uint8Array) => unknown }
  >
> = {
  root: {
    samples: [rootRow.encode({ rootId: ID, formatVersion: 1, features: 0, createdMs: TIME_MS })],
    decode: rootRow.decode,
  },
  node: {
    samples: [
      nodeRow.encode(node),
      nodeRow.encode({ ...node, state: { tag: "recovering", by: ID }, wals: [wal, wal] }),
    ],
    decode: nodeRow.decode,
  },
  counter: { samples: [counterRow.encode({ next: 300 })], decode: counterRow.decode },
  topic: {
    samples: [
      topicRow.encode({
        name: "orders",
        partitions: [1, 2, 900],
        configs: new Map([["retention.ms", "5"]]),
        createdMs: TIME_MS,
      }),
    ],
    decode: topicRow.decode,
  },
  "stream start": {
    samples: [streamStartRow.encode({ offset: 77, deadBefore: 70 })],
    decode: streamStartRow.decode,
  },
  "stream end": {
    samples: [
      streamEndRow.encode({ offset: 77, stateObject: "objects/a" }),
      streamEndRow.encode({ offset: 0, stateObject: undefined }),
    ],
    decode: streamEndRow.decode,
  },
  "stream owner": {
    samples: [
      streamOwnerRow.encode({ nodeId: ID, streamEpoch: 3 }),
      streamOwnerRow.encode({ nodeId: undefined, streamEpoch: 3 }),
    ],
    decode: streamOwnerRow.decode,
  },
  object: {
    samples: [1, 12].map((count) =>
      objectRow.encode({
        kind: "stream-set",
        bytes: 90_000,
        indexPosition: 80_000,
        indexBytes: 6000,
        ranges: rangeTable(
          Array.from({ length: count }, (_, i) => ({
            ...range,
            streamId: 4 + (i >> 1),
            sourceStreamId: 4 + (i >> 1),
            start: i * 200,
            end: i * 200 + 100,
          })),
        ),
      }),
    ),
    decode: objectRow.decode,
  },
};

export const coreTargets: readonly Target[] = [
  {
    name: "object header",
    samples: [encodeHeader()],
    reseal: (bytes) => {
      if (bytes.length >= 16) viewOf(bytes).setUint32(12, crc32c(bytes.subarray(0, 12)));
    },
    decode: checkHeader,
  },
  {
    name: "object footer",
    samples: [
      encodeFooter({ indexPosition: INDEX_AT, indexBytes: 240, indexEntries: 4, indexCrc: 9 }),
    ],
    reseal: (bytes) => {
      if (bytes.length < FOOTER_BYTES) return;
      const footer = bytes.subarray(bytes.length - FOOTER_BYTES);
      viewOf(footer).setUint32(28, crc32c(footer.subarray(0, 28)));
    },
    decode: (bytes) => void decodeFooter(bytes, INDEX_AT + 240 + FOOTER_BYTES),
  },
  {
    name: "object index",
    samples: [encodeIndex(entries), encodeIndex(entries.slice(0, 1)), encodeIndex([])],
    decode: (bytes) => {
      const index = new ObjectIndex(bytes, {
        indexPosition: INDEX_AT,
        indexBytes: bytes.length,
        indexEntries: Math.floor(bytes.length / INDEX_ENTRY_BYTES),
        indexCrc: crc32c(bytes),
      });
      for (let i = 0; i < index.length; i += 1) {
        const { streamId, startOffset } = index.entry(i);
        const found = index.findData(streamId, startOffset);
        if (found !== undefined) index.nextData(found);
        index.findState(streamId);
      }
    },
  },
  {
    name: "object block",
    samples: [block, new Uint8Array(0)],
    decode: (bytes) => {
      const opened = new Block(bytes, {
        kind: "data",
        streamId: 1,
        startOffset: 0,
        endOffset: 30,
        records: 12,
        position: 16,
        bytes: bytes.length,
        maxTimestampMs: TIME_MS + 2,
        crc: crc32c(bytes),
      });
      for (let at = opened.seek(0); at < bytes.length; at = opened.next(at)) opened.batch(at);
    },
  },
  {
    name: "state block",
    samples: [
      encodeStateBlock({ endOffset: 0, epochs: [], producers: [], aborted: [] }),
      encodeStateBlock({
        endOffset: 50,
        epochs: [
          { epoch: 0, startOffset: 0 },
          { epoch: 3, startOffset: 20 },
        ],
        producers: [
          [
            9,
            {
              epoch: 1,
              lastAppendMs: TIME_MS,
              batches: [1, 2].map((n) => ({
                baseSequence: n * 5,
                lastSequence: n * 5 + 4,
                baseOffset: n * 10,
                logAppendTimeMs: -1,
                durable: Promise.resolve(),
              })),
            },
          ],
        ],
        aborted: [{ producerId: 9, firstOffset: 10, lastOffset: 15 }],
      }),
    ],
    reseal: resealEnd,
    decode: (bytes) => void decodeStateBlock(bytes),
  },
  {
    name: "catalogue entry",
    samples: [
      encodeEntry({ number: NUMBER, predecessor: ID, id: ID }, [
        encodeTransaction(transaction),
        encodeTransaction({ ...transaction, id: "x1" }),
      ]),
      encodeEntry({ number: NUMBER, predecessor: ID, id: ID }, []),
    ],
    reseal: resealEnd,
    decode: (bytes) => void decodeEntry(bytes, NUMBER),
  },
  {
    name: "catalogue chunk",
    samples: [chunk()],
    reseal: resealEnd,
    decode: (bytes) => {
      for (const row of decodeChunk(bytes, "a chunk")) void row.value.length;
    },
  },
  {
    name: "recent transactions",
    samples: [
      encodeRecent({
        completeFrom: 3,
        transactions: [
          [ID, 4],
          ["short", 900],
        ],
      }),
    ],
    reseal: resealEnd,
    decode: (bytes) => void decodeRecent(bytes, "recent"),
  },
  {
    name: "catalogue manifest",
    samples: [
      encodeManifest({
        ordinal: NUMBER,
        revision: 90 as Revision,
        entryId: ID,
        recent: { ordinal: 7, id: ID, bytes: 400, crc: 5 },
        chunks: [
          { ordinal: 6, id: ID, bytes: 4000, crc: 5, from: "", rows: 20 },
          { ordinal: 7, id: ID, bytes: 500, crc: 6, from: "streams/end/1", rows: 2 },
        ],
      }),
    ],
    reseal: resealEnd,
    decode: (bytes) => void decodeManifest(bytes, NUMBER),
  },
  ...Object.entries(rows).map(([name, { samples, decode }]) => ({
    name: `${name} row`,
    samples,
    decode: (bytes: Uint8Array) => void decode(bytes),
  })),
];

function chunk(): Uint8Array {
  const writer = new ChunkWriter();
  for (let i = 0; i < 12; i += 1)
    writer.add({
      key: `streams/end/${String(i).padStart(16, "0")}`,
      revision: (i + 1) as Revision,
      value: new Uint8Array(i),
    });
  return writer.finish();
}
