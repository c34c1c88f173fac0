import {
  consoleLogger,
  nodeClock,
  nodeFiles,
  nodeNet,
  nodeRandom,
  nodeRuntime,
} from "@karst/runtime/node";
import { noMetrics, silentLogger } from "@karst/runtime";
import { recordingLogger } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";

test("one line per event, from the level up", () => {
  const lines: string[] = [];
  const log = consoleLogger("warn", { write: (line) => lines.push(line), colour: false });
  log.debug("quiet");
  log.info("quiet");
  log.warn("tail-cut", { file: "/data/wal/1.seg", bytes: 12, torn: true, missing: undefined });
  log.error("bad", { reason: 'two "words"\nand a line', empty: "" });
  assert.equal(lines.length, 2);
  assert.match(
    lines[0] ?? "",
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN {2}tail-cut file=\/data\/wal\/1\.seg bytes=12 torn=true$/,
  );
  assert.match(lines[1] ?? "", /Z ERROR bad reason="two \\"words\\"\\nand a line" empty=""$/);
});

test("colours only where asked for", () => {
  const lines: string[] = [];
  consoleLogger("debug", { write: (line) => lines.push(line), colour: true }).debug("x");
  assert.ok(lines[0]?.endsWith("\u001B[90mDEBUG\u001B[0m x"));
});

test("nodeRuntime is the process, but for the parts that are given", () => {
  const log = recordingLogger();
  assert.deepEqual(nodeRuntime({ log }), {
    clock: nodeClock,
    random: nodeRandom,
    files: nodeFiles,
    net: nodeNet,
    log,
    metrics: noMetrics,
  });
  assert.notEqual(nodeRuntime().log, silentLogger);
});
