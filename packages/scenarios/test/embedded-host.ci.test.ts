import assert from "node:assert/strict";
import { test } from "vitest";
import { EmbeddedHost } from "../dist/index.js";

test("a process that ends by itself fails what waits for it, and whatever comes after", async () => {
  const host = new EmbeddedHost({ root: "memory:host" });
  await host.start();
  const append = { partition: 0, compression: "none", rows: [{ id: 1, value: "row" }] } as const;
  const refused = host.append({ ...append, topic: "no/name", ifOffset: undefined });
  await assert.rejects(refused, /the embedded process ended with 1/);
  const late = host.append({ ...append, topic: "t", ifOffset: undefined });
  await assert.rejects(late, /the embedded process ended with 1/);
  await assert.rejects(host.kill(), /is not running/);
  await host.end();
});
