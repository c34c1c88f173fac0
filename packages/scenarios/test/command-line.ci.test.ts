import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "vitest";
import { refusedServe } from "../dist/index.js";
import { inWorld } from "./world.ts";

test("options that are unknown or contradict each other are refused before anything is made", () =>
  inWorld(async ({ data }) => {
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [["--dat", data], /^karst: unknown option --dat; did you mean --data\?/],
      [["--data", data, "--abandonwal", "x"], /did you mean --abandon-wal\?/],
      [["--data", data, "--root", `file:${data}`], /contradict each other/],
      [["--data", data, "--data", data], /--data is given twice/],
      [["--data", data, "--wal"], /--wal needs a value/],
      [["--root", `memory:`, "--wal", `file:${data}`], /use root file:DIR, or no wal/],
      [["--root", `file:${data}`, "--wal", "memory:"], /loses acknowledged records/],
      [["--root", `flie:${data}`], /file:/],
      [
        ["--data", data, "--limit", "uploadByte=1"],
        /unknown limit uploadByte; did you mean uploadBytes\?/,
      ],
      [
        ["--data", data, "--limit", "uploadBytes=999999999999"],
        /limit uploadBytes is 999999999999.*at most \d+/,
      ],
      [["--data", data, "--host", "0.0.0.0"], /name one with --advertised/],
      [["--data", data, "extra"], /"extra" is not an option/],
    ];
    const answers = await Promise.all(refused.map(([args]) => refusedServe(args)));
    for (const [index, { code, said }] of answers.entries()) {
      const [args, sentence] = refused[index] as (typeof refused)[number];
      assert.match(said, sentence, args.join(" "));
      assert.match(said, /\(INVALID_(OPTIONS|ROOT)\)$/, args.join(" "));
      assert.equal(said.split("\n").length, 1, said);
      assert.equal(code, 2, args.join(" "));
    }
    assert.ok(!existsSync(data));
  }));

test("a port that is taken is a sentence, and leaves a root that starts elsewhere", () =>
  inWorld(async (world) => {
    const holder = createServer();
    holder.listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    assert.ok(typeof address === "object" && address !== null);
    const { code, said } = await refusedServe(["--data", world.data], address.port);
    holder.close();
    assert.equal(code, 1);
    assert.match(said, /^karst: [^\n]*\(ADDRESS_IN_USE\)$/);
    assert.ok(said.includes(String(address.port)), said);
    await (await world.serve()).stop();
  }));

test("a data directory that is a file is a sentence", () =>
  inWorld(async (world) => {
    mkdirSync(world.data);
    const path = join(world.data, "file");
    writeFileSync(path, "precious");
    const { code, said } = await refusedServe(["--data", path]);
    assert.equal(code, 1);
    assert.match(said, /^karst: [^\n]*file[^\n]*\([A-Z_]+\)$/);
  }));
