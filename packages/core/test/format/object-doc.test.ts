import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { concatBytes, utf8Encode } from "@karst/runtime";
import { test } from "vitest";
import { encodeObject } from "../../src/format/object-writer.ts";

const page = new URL("../../../../docs/formats/object.md", import.meta.url);

/** The object of the page's worked example. */
function example(): { readonly bytes: Uint8Array; readonly marks: ReadonlyMap<number, string> } {
  const object = encodeObject(
    [
      {
        streamId: 7,
        startOffset: 100,
        endOffset: 105,
        batches: [
          {
            baseOffset: 100,
            endOffset: 102,
            maxTimestampMs: 1_700_000_000_000,
            payload: utf8Encode("first"),
          },
          { baseOffset: 104, endOffset: 105, maxTimestampMs: -1, payload: utf8Encode("second") },
        ],
        state: utf8Encode("state"),
      },
    ],
    { blockBytes: 512 * 1024 },
  );
  const marks = new Map([
    [0, "header"],
    [object.indexPosition, "index"],
    [object.indexPosition + object.indexBytes, "footer"],
  ]);
  for (const entry of object.entries)
    marks.set(entry.position, `${entry.kind} block of stream ${entry.streamId}`);
  return { bytes: concatBytes(object.parts), marks };
}

function hexDump(bytes: Uint8Array, marks: ReadonlyMap<number, string>): string {
  const lines: string[] = [];
  const starts = [...marks.keys()].toSorted((a, b) => a - b);
  for (const [i, start] of starts.entries()) {
    const end = starts[i + 1] ?? bytes.length;
    lines.push(`# ${marks.get(start)}`);
    for (let at = start; at < end; at += 16) {
      const row = [...bytes.subarray(at, Math.min(at + 16, end))].map((byte) =>
        byte.toString(16).padStart(2, "0"),
      );
      lines.push(`${at.toString(16).padStart(4, "0")}  ${row.join(" ")}`);
    }
  }
  return lines.join("\n");
}

// KARST_WRITE_DOCS=1 writes the example anew, for when the format gets a version.
test("the worked example of docs/formats/object.md is what the encoder writes", async () => {
  const { bytes, marks } = example();
  const block = `\`\`\`hex\n${hexDump(bytes, marks)}\n\`\`\``;
  const text = await readFile(page, "utf8");
  const shown = /```hex\n[\s\S]*?\n```/.exec(text)?.[0];
  if (process.env["KARST_WRITE_DOCS"] === "1" && shown !== undefined)
    await writeFile(page, text.replace(shown, block));
  else assert.equal(shown, block);
});
