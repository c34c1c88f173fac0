import assert from "node:assert/strict";
import { hasCode } from "karst";
import { test } from "vitest";
import { serveOptions } from "../../src/commands/serve-options.ts";

const parse = (line: string): ReturnType<typeof serveOptions> =>
  serveOptions(line.split(" ").filter((word) => word !== ""));

test("the defaults", () => {
  assert.deepEqual(parse(""), {
    listen: { host: "127.0.0.1", port: 9092 },
    advertised: undefined,
    open: { root: "file:./karst-data" },
    groupInitialRebalanceDelayMs: undefined,
    log: "info",
    help: false,
  });
});

test("every option", () => {
  assert.deepEqual(
    parse(
      "--port 0 --host 0.0.0.0 --advertised example.org:9 --root file:/a --wal file:/b --abandon-wal ab --limit uploadBytes=5 --limit=segmentBytes=6 --group-initial-rebalance-delay-ms 0 --log=debug --help",
    ),
    {
      listen: { host: "0.0.0.0", port: 0 },
      advertised: { host: "example.org", port: 9 },
      open: {
        root: "file:/a",
        wal: "file:/b",
        abandonWal: "ab",
        limits: { uploadBytes: 5, segmentBytes: 6 },
      },
      groupInitialRebalanceDelayMs: 0,
      log: "debug",
      help: true,
    },
  );
  assert.deepEqual(parse("--data /var/karst -p 9").open, { root: "file:/var/karst" });
  assert.deepEqual(parse("--advertised [::1]:9").advertised, { host: "::1", port: 9 });
  assert.deepEqual(parse("--advertised example.org --port 7").advertised, {
    host: "example.org",
    port: 7,
  });
});

test("what is unknown or contradicts itself is refused, naming the nearest valid option", () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ["--prot 9", /unknown option --prot; did you mean --port\?/],
    ["--adv x", /unknown option --adv; did you mean --advertised\?/],
    ["--frobnicate", /unknown option --frobnicate; there are: --port, /],
    ["-x", /unknown option -x/],
    ["start", /"start" is not an option/],
    ["--port", /--port needs a value/],
    ["--port --data x", /--port needs a value/],
    ["--port 1 --port 2", /--port is given twice/],
    ["--help=yes", /--help takes no value/],
    ["--port 70000", /no port: give a number/],
    ["--port 9x", /no port/],
    ["--data x --root file:y", /contradict each other/],
    ["--data file:x", /did you mean --root file:x\?/],
    ["--data=", /names no directory|needs a value/],
    ["--host 0.0.0.0", /name one with --advertised/],
    ["--advertised a:b:c", /not HOST or HOST:PORT/],
    ["--limit uploadBytes", /not NAME=NUMBER/],
    ["--limit uploadBytes=x", /not NAME=NUMBER/],
    ["--group-initial-rebalance-delay-ms 3s", /no delay: give milliseconds/],
    ["--group-initial-rebalance-delay-ms 86400001", /no delay: give milliseconds/],
    ["--log loud", /--log loud is no level; there are: debug/],
    ["--log warning", /did you mean warn\?/],
  ];
  for (const [line, message] of refused) {
    assert.throws(
      () => parse(line),
      (error) => hasCode(error, "INVALID_OPTIONS") && message.test(error.message),
      line,
    );
  }
});
