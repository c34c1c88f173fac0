/*
 * Runs every client of the matrix against a broker of its own, in groups and with all codecs:
 *
 *   npm run verify -- clients [--client NAME …] [--bootstrap HOST:PORT] [--dry]
 *
 * Writes docs/results/clients.json and the table of docs/compatibility.md, unless told which clients or which broker: a part, or
 * another broker (scripts/kafka.mjs: the scenario must hold there too), says nothing about the whole.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CLIENTS } from "../clients/matrix.ts";
import { writeCompatibilityPage } from "../clients/page.ts";
import { runRows } from "../clients/rows.ts";
import { writeResult } from "../proof/results.ts";
import { freePort, Server } from "../server.ts";

const { values } = parseArgs({
  options: {
    client: { type: "string", multiple: true },
    bootstrap: { type: "string" },
    dry: { type: "boolean", default: false },
  },
});
const unknown = values.client?.find((name) => CLIENTS.every((client) => client.name !== name));
if (unknown !== undefined)
  throw new TypeError(`no client ${unknown}; ${CLIENTS.map(({ name }) => name).join(", ")}`);
const clients = CLIENTS.filter(({ name }) => values.client?.includes(name) ?? true);

const beganMs = performance.now();
const directory = await mkdtemp(join(tmpdir(), "karst-clients-"));
const server =
  values.bootstrap === undefined
    ? new Server({ port: await freePort(), args: ["--data", join(directory, "data")] })
    : undefined;
try {
  await server?.start();
  const rows = await runRows({
    clients,
    bootstrap: values.bootstrap ?? server?.address ?? "",
    name: `m${Date.now().toString(36)}`,
    onProgress: (sentence) => process.stderr.write(`${sentence}\n`),
  });
  await server?.stop();
  const seconds = Math.round((performance.now() - beganMs) / 1_000);
  console.log(JSON.stringify({ seconds, rows }, undefined, 2));
  const whole = values.client === undefined && server !== undefined;
  if (whole && !values.dry) {
    writeResult("clients", { seconds, rows });
    writeCompatibilityPage();
  }
  if (rows.some((row) => row.tag === "run" && row.failures.length > 0)) process.exitCode = 1;
} finally {
  await server?.end();
  await rm(directory, { recursive: true, force: true });
}
