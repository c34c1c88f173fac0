import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import {
  CATALOGUE_ROWS,
  counterRow,
  DEFAULT_CATALOGUE_LIMITS,
  nodeRow,
  objectRow,
  rangeTable,
  type Revision,
  rootRow,
  stateStreamRow,
  streamEndRow,
  streamOwnerRow,
  streamStartRow,
  topicRow,
} from "@karst/core";
import { crc32c } from "@karst/runtime";
import { test } from "vitest";
import { ChunkWriter, encodeRecent } from "../../src/catalogue/object-log/chunk.ts";
import { decodeEntry, encodeEntry, NO_ENTRY } from "../../src/catalogue/object-log/entry.ts";
import { encodeManifest } from "../../src/catalogue/object-log/manifest.ts";
import { encodeTransaction } from "../../src/catalogue/object-log/transaction-codec.ts";

const page = new URL("../../../../docs/formats/catalogue.md", import.meta.url);

const id = (digit: string): string => digit.repeat(32);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Bytes in lines of at most 32, each after what it is. */
function dump(
  parts: readonly (readonly [what: string, bytes: Uint8Array | number])[],
  whole: Uint8Array,
): string {
  const lines: string[] = [];
  let at = 0;
  for (const [what, size] of parts) {
    const length = typeof size === "number" ? size : size.length;
    const bytes = whole.subarray(at, at + length);
    if (typeof size !== "number") assert.deepEqual(bytes, size);
    for (let i = 0; i < bytes.length; i += 16) {
      const position = String(at + i).padStart(4, "0");
      lines.push(
        `${position}  ${hex(bytes.subarray(i, i + 16)).padEnd(32)}  ${i === 0 ? what : ""}`.trimEnd(),
      );
    }
    at += length;
  }
  assert.equal(at, whole.length);
  return lines.join("\n");
}

/** The blocks of the page's worked example, in order. */
function examples(): readonly string[] {
  const rootValue = rootRow.encode({
    rootId: id("a"),
    formatVersion: 1,
    features: 0,
    createdMs: 1_760_000_000_000,
  });
  const first = encodeEntry({ number: 1, predecessor: NO_ENTRY, id: id("1") }, [
    encodeTransaction({
      id: id("b"),
      require: [{ key: "root", revision: "absent" }],
      put: [{ key: "root", value: rootValue }],
      delete: [],
    }),
  ]);
  const streams = encodeTransaction({
    id: id("c"),
    require: [{ key: "counters/streams", revision: 2 as Revision }],
    put: [
      counterRow.put("streams", { next: 8 }),
      streamStartRow.put(7, { offset: 0, deadBefore: 0 }),
      streamEndRow.put(7, { offset: 300, stateObject: undefined }),
    ],
    delete: ["streams/owner/0000000000000003"],
  });
  const second = encodeEntry({ number: 3, predecessor: id("2"), id: id("3") }, [streams]);
  assert.equal(decodeEntry(second, 3).transactions.length, 1);

  const entries = [
    dump(
      [
        ["magic KCLE", 4],
        ["version 1", 2],
        ["features", 4],
        ["number 1", 1],
        ["predecessor: none", 16],
        ["own id", 16],
        ["1 transaction", 1],
        ["its id", 17],
        ["1 requirement, 1 put, 0 deletes", 3],
        ["key: 0 shared, 4 more: root", 6],
        ["absent", 1],
        ["key: 4 shared, 0 more: root", 2],
        ["29 bytes", 1],
        ["the root row", rootValue],
        ["crc", 4],
      ],
      first,
    ),
    dump(
      [
        ["frame, number 3, predecessor, own id", 43],
        ["1 transaction", 1],
        ["its id", 17],
        ["1 requirement, 3 puts, 1 delete", 3],
        ["counters/streams", 18],
        ["at revision 2", 1],
        ["counters/streams again", 2],
        ["next 8", 4],
        ["streams/start/0000000000000007", 32],
        ["offset 0, all of it dead", 5],
        ["shares streams/: end/0000000000000007", 22],
        ["offset 300, no state", 6],
        ["shares streams/: owner/0000000000000003", 24],
        ["crc", 4],
      ],
      second,
    ),
  ];

  const rows: readonly (readonly [string, string, Uint8Array])[] = [
    ["root", "root", rootValue],
    [
      "node",
      nodeRow.key(id("d")),
      nodeRow.encode({
        epoch: 3,
        state: { tag: "open" },
        wals: [
          { walId: id("e"), kind: "file", location: "/w", epoch: 3, trim: 4_096, state: "active" },
        ],
        lastTx: id("c"),
        decidedSeq: 12,
      }),
    ],
    ["counter", counterRow.key("streams"), counterRow.encode({ next: 8 })],
    [
      "topic",
      topicRow.key(id("f")),
      topicRow.encode({
        name: "orders",
        partitions: [7, 9],
        configs: new Map([["cleanup.policy", "compact"]]),
        createdMs: 1_760_000_000_000,
      }),
    ],
    ["streamStart", streamStartRow.key(7), streamStartRow.encode({ offset: 100, deadBefore: 98 })],
    [
      "streamEnd",
      streamEndRow.key(7),
      streamEndRow.encode({ offset: 300, stateObject: "objects/x" }),
    ],
    [
      "streamOwner",
      streamOwnerRow.key(7),
      streamOwnerRow.encode({ streamEpoch: 2, nodeId: id("d") }),
    ],
    [
      "object",
      objectRow.key({ nodeId: id("d"), nodeEpoch: 3, sequence: 12 }),
      objectRow.encode({
        kind: "stream-set",
        bytes: 70_000,
        indexPosition: 69_000,
        indexBytes: 964,
        ranges: rangeTable([
          {
            streamId: 7,
            sourceStreamId: 7,
            start: 100,
            end: 300,
            records: 200,
            bytes: 60_000,
            maxTimestampMs: 1_760_000_000_500,
          },
          {
            streamId: 9,
            sourceStreamId: 4,
            start: 0,
            end: 5,
            records: 5,
            bytes: 9_000,
            maxTimestampMs: -1,
          },
        ]),
      }),
    ],
    ["stateStream", stateStreamRow.key("groups"), stateStreamRow.encode({ streamId: 11 })],
  ];
  assert.deepEqual(
    rows.map(([kind]) => kind),
    Object.keys(CATALOGUE_ROWS),
  );
  const table = rows
    .map(
      ([kind, key, value]) =>
        `${kind}\n  ${key}\n  ${(hex(value).match(/.{1,80}/g) ?? []).join("\n  ")}`,
    )
    .join("\n");

  const chunkWriter = new ChunkWriter();
  chunkWriter.add({ key: "root", value: rootValue, revision: 1 as Revision });
  const chunk = chunkWriter.finish();
  const recent = encodeRecent({ completeFrom: 1, transactions: [[id("b"), 1]] });
  const reference = (bytes: Uint8Array, digit: string) => ({
    ordinal: 1,
    id: id(digit),
    bytes: bytes.length,
    crc: crc32c(bytes),
  });
  const manifest = encodeManifest({
    ordinal: 1,
    revision: 1 as Revision,
    entryId: id("1"),
    recent: reference(recent, "4"),
    chunks: [{ ...reference(chunk, "5"), from: "", rows: 1 }],
  });
  const snapshot = [
    dump(
      [
        ["KCSM, version 1, features", 10],
        ["ordinal 1, revision 1", 2],
        ["entry id", 16],
        ["recent: ordinal, id, bytes, crc", 22],
        ["1 chunk", 1],
        ["ordinal, id, bytes, crc", 22],
        ["from: the beginning; 1 row", 2],
        ["crc", 4],
      ],
      manifest,
    ),
    dump(
      [
        ["KCSC, version 1, features", 10],
        ["key: root", 6],
        ["revision 1", 1],
        ["29 bytes", 1],
        ["the root row", rootValue],
        ["crc", 4],
      ],
      chunk,
    ),
    dump(
      [
        ["KCSR, version 1, features", 10],
        ["complete from 1; 1 transaction", 2],
        ["revision 1, its id", 18],
        ["crc", 4],
      ],
      recent,
    ),
  ];
  return [...entries, snapshot.join("\n\n"), table];
}

// KARST_WRITE_DOCS=1 writes the examples anew, for when the format gets a version.
test("the worked examples of docs/formats/catalogue.md are what the encoders write", async () => {
  const blocks = examples().map((example) => `\`\`\`hex\n${example}\n\`\`\``);
  const text = await readFile(page, "utf8");
  const shown = text.match(/```hex\n[\s\S]*?\n```/g) ?? [];
  if (process.env["KARST_WRITE_DOCS"] === "1") {
    const pieces = text.split(/```hex\n[\s\S]*?\n```/);
    await writeFile(
      page,
      pieces.map((piece, i) => piece + (i < pieces.length - 1 ? (blocks[i] ?? "") : "")).join(""),
    );
  } else {
    assert.deepEqual(shown, blocks);
  }
});

test("the page names every kind of row with its ordinal and prefix, and every limit", async () => {
  const text = await readFile(page, "utf8");
  for (const [kind, row] of Object.entries(CATALOGUE_ROWS)) {
    assert(text.includes(`| ${row.ordinal} | ${kind} | \`${row.prefix}`), `no row for ${kind}`);
  }
  for (const limit of [
    "snapshotEntriesMin",
    "snapshotEntriesMax",
    "chunkBytes",
    "recentTransactionsMax",
  ] as const) {
    assert(
      text.includes(`\`${limit}\` (${DEFAULT_CATALOGUE_LIMITS[limit].toLocaleString("en-US")})`),
      `no default of ${limit}`,
    );
  }
});
