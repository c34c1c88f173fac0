// The first client of each language in the matrix; all of them: npm run verify -- clients.
import assert from "node:assert/strict";
import { test } from "vitest";
import { FIRST_ROWS, runRows } from "../dist/index.js";
import { inWorld } from "./world.ts";

for (const client of FIRST_ROWS) {
  const missing = client.missing();
  const why = missing === undefined ? "" : ` (${missing})`;
  test.skipIf(missing !== undefined)(
    `${client.language}, ${client.name}: members come, go, are killed and resume, with every codec${why}`,
    () =>
      inWorld(async (world) => {
        const server = await world.serve();
        const [row] = await runRows({
          clients: [{ ...client, assignors: client.assignors.slice(0, 1) }],
          bootstrap: server.address,
          name: "row",
        });
        assert.ok(row?.tag === "run", JSON.stringify(row));
        assert.deepEqual(row.failures, []);
        await server.stop();
      }),
  );
}
