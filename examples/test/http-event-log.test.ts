import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { open } from "karst";
import { onTestFinished, test } from "vitest";
import { eventLog } from "../http-event-log/service.ts";

interface Event {
  readonly partition: number;
  readonly offset: number;
  readonly position: string;
  readonly event: unknown;
}

async function start(): Promise<string> {
  const engine = await open({ root: "memory:" });
  const server = createServer(eventLog(engine.topic("events")));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    await engine.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
}

async function post(url: string, body: string): Promise<Response> {
  return fetch(url, { method: "POST", body });
}

async function events(url: string): Promise<readonly Event[]> {
  const text = await (await fetch(url)).text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);
}

test("events are appended and streamed as lines, from any of them", async () => {
  const url = await start();
  for (let i = 0; i < 5; i += 1) {
    const response = await post(`${url}?key=a`, JSON.stringify({ i }));
    assert.equal(response.status, 201);
    assert.equal(((await response.json()) as Event).offset, i);
  }
  const all = await events(`${url}?from=earliest`);
  assert.deepEqual(
    all.map(({ event }) => event),
    [{ i: 0 }, { i: 1 }, { i: 2 }, { i: 3 }, { i: 4 }],
  );
  const rest = await events(`${url}?from=${all[2]?.position}`);
  assert.deepEqual(
    rest.map(({ offset }) => offset),
    [3, 4],
  );
});

test("server-sent events follow, and go on after the last one seen", async () => {
  const url = await start();
  await post(url, '"first"');
  const headers = { accept: "text/event-stream" };

  const ids = await firstEvents(await fetch(url, { headers }), 1);
  assert.deepEqual(
    ids.map(({ event }) => event),
    ["first"],
  );
  const resumed = firstEvents(
    await fetch(url, { headers: { ...headers, "last-event-id": ids[0]?.position ?? "" } }),
    2,
  );
  await post(url, '"second"');
  await post(url, '"third"');
  assert.deepEqual(
    (await resumed).map(({ event }) => event),
    ["second", "third"],
  );
});

test("what cannot be is refused with a sentence", async () => {
  const url = await start();
  await post(url, "1");
  assert.equal((await post(url, "no json")).status, 400);
  assert.equal((await post(url, `"${"x".repeat(1_100_000)}"`)).status, 413);
  assert.equal((await fetch(url, { method: "PUT" })).status, 405);
  assert.equal((await fetch(`${url}/x`)).status, 404);
  const response = await fetch(`${url}?from=nowhere`);
  assert.equal(response.status, 400);
  assert.match(((await response.json()) as { error: string }).error, /neither earliest, latest/);
});

/** The data of the first events of a stream that goes on, which is then left. */
async function firstEvents(response: Response, count: number): Promise<readonly Event[]> {
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const found: Event[] = [];
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = block.split("\n").find((line) => line.startsWith("data: "));
      if (data !== undefined) found.push(JSON.parse(data.slice(6)) as Event);
    }
    if (found.length >= count) break;
  }
  return found;
}
