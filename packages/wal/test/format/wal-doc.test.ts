// docs/formats/wal.md shows the bytes of a WAL that this test writes. To write the example anew:
// KARST_WRITE_DOCS=1 npx vitest run packages/wal/test/format/wal-doc.test.ts
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { MemoryBudget, SlabPool, utf8Encode } from "@karst/runtime";
import { simulatedRuntime } from "@karst/runtime/testing";
import { fileWal, simulatedDevice, WAL_START } from "@karst/wal";
import { test } from "vitest";
import { DIRECTORY } from "../simulated-place.ts";

const PAGE = new URL("../../../../docs/formats/wal.md", import.meta.url);
const BLOCK = /```hex\n[^]*?```/;

async function example(): Promise<string> {
  const runtime = simulatedRuntime({ seed: "wal.md" });
  const slabs = new SlabPool({ budget: new MemoryBudget(1 << 20), slabBytes: 4096 });
  const device = () =>
    simulatedDevice({ files: runtime.blocking, directory: DIRECTORY, clock: runtime.clock });
  const limits = { segmentBytes: 4096, firstSegmentBytes: 4096 };
  const write = async (): Promise<void> => {
    const claim = await fileWal({ device, runtime, slabs, limits }).claim({
      rootId: "0123456789abcdef0123456789abcdef",
    });
    const listener = { durable: () => undefined, failed: (error: Error) => assert.fail(error) };
    const wal = await claim.recover({ trim: WAL_START, onFrame: () => undefined, listener });
    for (const [n, text] of ["first", "second"].entries()) {
      const payload = utf8Encode(text);
      const frame = { streamId: 7, streamEpoch: 1, baseOffset: 100 + n * 2, count: 2 - n, payload };
      wal.append({ ...frame, maxTimestampMs: n === 0 ? 1_700_000_000_000 : -1 }).slab.release();
    }
    await wal.close();
  };
  await runtime.clock.runUntil(write());
  const path = runtime.disk.listAll().find((name) => name.includes("/segment-")) as string;
  const segment = runtime.disk.bytesOf(path);
  const parts = [
    ["identity", 0, runtime.disk.bytesOf(`${DIRECTORY}/identity`)],
    [`${path.slice(path.lastIndexOf("/") + 1)}: header (zeros follow)`, 0, segment.subarray(0, 80)],
    ["first group of the epoch: no tail was found", 512, segment.subarray(512, 560)],
    ["group of two frames: header", 560, segment.subarray(560, 608)],
    ["frame of stream 7, offsets [100, 102)", 608, segment.subarray(608, 664)],
    ["frame of stream 7, offsets [102, 103)", 664, segment.subarray(664, 720)],
    ["mark", 720, segment.subarray(720, 768)],
  ] as const;
  const lines = parts.flatMap(([title, from, bytes]) => [`# ${title}`, ...dump(bytes, from)]);
  return ["```hex", ...lines, "```"].join("\n");
}

function dump(bytes: Uint8Array, from: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, "0"));
    lines.push(`${(from + at).toString(16).padStart(4, "0")}  ${row.join(" ")}`);
  }
  return lines;
}

test("the worked example in docs/formats/wal.md is what is written", async () => {
  const page = readFileSync(PAGE, "utf8");
  const written = await example();
  if (process.env["KARST_WRITE_DOCS"] === "1")
    writeFileSync(
      PAGE,
      page.replace(BLOCK, () => written),
    );
  else
    assert.equal(BLOCK.exec(page)?.[0], written, "the example is stale: see the top of this test");
});
