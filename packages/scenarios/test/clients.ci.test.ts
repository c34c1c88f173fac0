// The first client of each language in the matrix; all of them: npm run verify -- clients.
import assert from "node:assert/strict";
import { test } from "vitest";
import { codecStory, FIRST_ROWS, groupStory } from "../dist/index.js";
import { inWorld } from "./world.ts";

const here = FIRST_ROWS.filter((client) => client.missing() === undefined);

for (const client of FIRST_ROWS) {
  test.skipIf(!here.includes(client))(
    `${client.language}, ${client.name}: members of a group come, go, are killed and resume`,
    () =>
      inWorld(async (world) => {
        const server = await world.serve();
        const launch = await client.prepare();
        const assignor = client.assignors[0] ?? "";
        const bootstrap = server.address;
        const result = await groupStory({ client, launch, assignor, bootstrap, name: "group" });
        assert.ok(result.readAgain > 0, "what was read and not committed is read again");
        await server.stop();
      }),
  );
}

test("each of them writes with its codecs, and reads what all of them wrote", () =>
  inWorld(async (world) => {
    const server = await world.serve();
    const clients = await Promise.all(
      here.map(async (client) => ({ client, launch: await client.prepare() })),
    );
    const rows = await codecStory({ clients, bootstrap: server.address, name: "codecs" });
    for (const { client, failures } of rows) assert.deepEqual(failures, [], client);
    await server.stop();
  }));
