import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { DEFAULT_STATE_STREAM_LIMITS } from "@karst/core";
import { utf8Encode } from "@karst/runtime";
import { test } from "vitest";
import { encodeStateChanges, partsOf } from "../../src/state-stream/state-changes.ts";
import { encodeStateFrame } from "../../src/state-stream/state-frame.ts";

const page = new URL("../../../../docs/formats/state-stream.md", import.meta.url);

function example(): string {
  const changes = encodeStateChanges([
    { key: utf8Encode("a"), value: utf8Encode("one") },
    { key: utf8Encode("b"), value: undefined },
  ]);
  const frames = [
    ...partsOf(changes, 8).map((frame) => encodeStateFrame(frame)),
    encodeStateFrame({ tag: "snapshot end", from: 300 }),
  ];
  return frames.map((frame, at) => `${at}  ${Buffer.from(frame).toString("hex")}`).join("\n");
}

// KARST_WRITE_DOCS=1 writes the example anew, for when the format gets a version.
test("the worked example of docs/formats/state-stream.md is what the encoder writes", async () => {
  const text = await readFile(page, "utf8");
  const block = `\`\`\`hex\n${example()}\n\`\`\``;
  if (process.env["KARST_WRITE_DOCS"] === "1")
    await writeFile(page, text.replace(/```hex\n[\s\S]*?\n```/, block));
  else assert.deepEqual(text.match(/```hex\n[\s\S]*?\n```/g), [block]);
});

test("the page names every limit with its default", async () => {
  const text = await readFile(page, "utf8");
  for (const [name, value] of Object.entries(DEFAULT_STATE_STREAM_LIMITS))
    assert(text.includes(`\`${name}\` (${value.toLocaleString("en-US")})`), name);
});
