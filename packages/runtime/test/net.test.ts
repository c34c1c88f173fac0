import { hasCode } from "@karst/runtime";
import { nodeNet } from "@karst/runtime/node";
import {
  ManualClock,
  SeededRandom,
  SimulatedNet,
  type SimulatedNetOptions,
} from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "vitest";
import { NodeConnection } from "../src/node/net.ts";
import { netSuite } from "./net.suite.ts";

netSuite({
  name: "node",
  declare: test,
  create: () => ({
    net: nodeNet,
    connect: (port) =>
      new NodeConnection(connect({ host: "127.0.0.1", port, allowHalfOpen: true })),
    until: (promise) => promise,
  }),
});

function simulated(name: string, options: Partial<SimulatedNetOptions>): void {
  netSuite({
    name,
    declare: test,
    create: () => {
      const clock = new ManualClock();
      const net = new SimulatedNet({ clock, random: new SeededRandom(1), ...options });
      return {
        net,
        connect: (port) => net.connect("127.0.0.1", port),
        until: (promise) => clock.runUntil(promise),
      };
    },
  });
}

simulated("simulated", {});
simulated("simulated with delays", { latency: { minMs: 0, maxMs: 20 }, chunkBytesMax: 100_000 });

test("node: a host that is not ours cannot be listened on", async () => {
  await assert.rejects(
    nodeNet.listen({ host: "192.0.2.1", port: 0 }, () => undefined),
    (error) => hasCode(error, "IO_ERROR") && error.message.includes("192.0.2.1:0"),
  );
});

test("node: all parts of a write leave in one chunk", async () => {
  const chunks: number[] = [];
  let closed: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const listener = await nodeNet.listen({ host: "127.0.0.1", port: 0 }, (connection) => {
    connection.start({
      data: (chunk) => void chunks.push(chunk.length),
      drain() {},
      end: () => connection.end(),
      closed,
    });
  });
  const socket = connect({ host: "127.0.0.1", port: listener.port, allowHalfOpen: true });
  const client = new NodeConnection(socket);
  client.start({ data() {}, drain() {}, end() {}, closed() {} });
  await new Promise((resolve) => socket.once("connect", resolve));
  client.write(Array.from({ length: 100 }, (_, i) => new Uint8Array(10).fill(i)));
  client.end();
  await done;
  assert.deepEqual(chunks, [1_000]);
  await listener.close();
});

test("node: an answer gets to a peer that has ended its side, and so does the end", async () => {
  const listener = await nodeNet.listen({ host: "127.0.0.1", port: 0 }, (connection) => {
    connection.start({
      data() {},
      drain() {},
      end() {
        connection.write([new Uint8Array(300_000)]);
        connection.end();
      },
      closed() {},
    });
  });
  const socket = connect({ host: "127.0.0.1", port: listener.port, allowHalfOpen: true });
  socket.end("question");
  let receivedBytes = 0;
  for await (const chunk of socket) receivedBytes += (chunk as Buffer).length;
  assert.equal(receivedBytes, 300_000);
  await listener.close();
});

test("simulated: an ended connection waits a while for its peer, and then is gone", async () => {
  const clock = new ManualClock();
  const net = new SimulatedNet({ clock, random: new SeededRandom(1) });
  const seen: string[] = [];
  const handlers = (side: string) => ({
    data: () => undefined,
    drain: () => undefined,
    end: () => void seen.push(`${side} end`),
    closed: (error?: Error) => void seen.push(`${side} closed ${error?.message}`),
  });
  await net.listen({ host: "h", port: 9 }, (connection) => connection.start(handlers("server")));
  const client = net.connect("h", 9);
  client.start(handlers("client"));
  client.end();
  await clock.advance(999);
  assert.deepEqual(seen, ["server end"]);
  await clock.advance(1);
  assert.deepEqual(seen, ["server end", "client closed undefined"]);
  const [server] = net.connections;
  server?.write([Uint8Array.of(1)]);
  await clock.runDeferred();
  assert.deepEqual(seen.at(-1), "server closed ECONNRESET: simulated");
});

test("simulated: a cut loses what is under way, and both sides see a reset", async () => {
  const clock = new ManualClock();
  const net = new SimulatedNet({
    clock,
    random: new SeededRandom(1),
    latency: { minMs: 5, maxMs: 5 },
  });
  const seen: string[] = [];
  const handlers = (side: string) => ({
    data: () => void seen.push(`${side} data`),
    drain: () => undefined,
    end: () => void seen.push(`${side} end`),
    closed: (error?: Error) => void seen.push(`${side} closed ${error?.message}`),
  });
  await net.listen({ host: "h", port: 9 }, (connection) => connection.start(handlers("server")));
  const client = net.connect("h", 9);
  client.start(handlers("client"));
  client.write([new Uint8Array(100)], () => void seen.push("written"));
  await clock.runDeferred();
  assert.equal(net.connections.length, 1);
  net.cut();
  await clock.advance(1_000);
  assert.deepEqual(seen, [
    "server closed ECONNRESET: simulated",
    "written",
    "client closed ECONNRESET: simulated",
  ]);
  assert.equal(net.connections.length, 0);
  net.reset();
  const refused = net.connect("h", 9);
  refused.start(handlers("refused"));
  await clock.advance(1_000);
  assert.equal(seen.at(-1), "refused closed ECONNREFUSED: simulated");
});

test("simulated: a chunk is overwritten as soon as its handler returns, and parts are read when they leave", async () => {
  const clock = new ManualClock();
  const net = new SimulatedNet({ clock, random: new SeededRandom(1) });
  const chunks: Uint8Array[] = [];
  const copies: number[] = [];
  const ignore = { data() {}, drain() {}, end() {}, closed() {} };
  await net.listen({ host: "h", port: 9 }, (connection) =>
    connection.start({
      ...ignore,
      data(chunk) {
        chunks.push(chunk);
        copies.push(...chunk);
      },
    }),
  );
  const client = net.connect("h", 9);
  client.start(ignore);
  const part = Uint8Array.of(1, 2, 3);
  client.write([part]);
  part.fill(9);
  await clock.runDeferred();
  assert.deepEqual(copies, [9, 9, 9]);
  for (const chunk of chunks) assert.ok(chunk.every((byte) => byte === 0xdb));
});

test("simulated: one seed, one history of chunks", async () => {
  const run = async (seed: number): Promise<string> => {
    const clock = new ManualClock();
    const net = new SimulatedNet({
      clock,
      random: new SeededRandom(seed),
      latency: { minMs: 0, maxMs: 9 },
    });
    const seen: string[] = [];
    const ignore = { data() {}, drain() {}, end() {}, closed() {} };
    await net.listen({ host: "h", port: 9 }, (connection) =>
      connection.start({
        ...ignore,
        data: (chunk) => void seen.push(`${clock.monotonicMs()} ${chunk.length}`),
      }),
    );
    const client = net.connect("h", 9);
    client.start(ignore);
    for (let i = 0; i < 20; i += 1) client.write([new Uint8Array(i * 3_000)]);
    await clock.advance(10_000);
    return seen.join();
  };
  assert.equal(await run(1), await run(1));
  assert.notEqual(await run(1), await run(2));
});
