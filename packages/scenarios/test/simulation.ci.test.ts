// Fresh seeds of every family of simulated worlds, each played twice: what it comes to must be the same.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { test } from "vitest";
import { FAMILIES } from "../src/simulation/families.ts";

const SECONDS = 40;
/** Seeds of `verify` begin far above. */
const SEEDS_MAX = 1_000_000;

const simulate = fileURLToPath(new URL("../dist/simulate.js", import.meta.url));
const first = (Number(process.env["KARST_SEED"] ?? 1) * 997) % (SEEDS_MAX / 2);

test.for(FAMILIES.map(({ name }) => name))(
  "fresh seeds of %s",
  { concurrent: true },
  async (family) => {
    const args = ["--family", family, "--seed", String(first), "--seeds", "5000", "--twice"];
    const run = promisify(execFile)(
      process.execPath,
      [simulate, ...args, "--seconds", String(SECONDS)],
      {
        maxBuffer: 1 << 26,
      },
    );
    const { stdout } = await run.catch(
      (error: { readonly stdout: string; readonly stderr: string }) =>
        assert.fail(`${error.stdout}\n${error.stderr}`),
    );
    console.log(stdout.trim());
    assert.match(stdout, /operations checked/);
  },
);
