import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "vitest";

const TELLER = new URL("../dist/clients/drivers/teller.js", import.meta.url).href;
/** More than a pipe holds. */
const RECORDS = 3_000;
const PROGRAM = `
  const { Teller } = await import(${JSON.stringify(TELLER)});
  const options = { commit: "never", gated: false, hangAfter: ${RECORDS} };
  const teller = new Teller(options, () => Promise.resolve());
  const value = "x".repeat(200);
  for (let offset = 0; ; offset += 1)
    await teller.record({ topic: "t", partition: 0, offset, timestamp: 0, key: null, value, headers: [] });
`;

test("all that a member tells before it hangs is heard, also what a pipe does not hold", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    told += 1;
    if (line.startsWith('{"event":"hangs"')) child.kill("SIGKILL");
  }
  assert.equal(told, RECORDS + 1);
});
