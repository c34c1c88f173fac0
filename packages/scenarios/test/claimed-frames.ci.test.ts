import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { test } from "vitest";
import type { Server } from "../dist/index.js";
import { inWorld } from "./world.ts";

const MiB = 1024 * 1024;
const CONNECTIONS = 200;
const CLAIMED_BYTES = 100 * MiB;
const SENT_BYTES = 1_000;

/** ApiVersions 0 without a client id. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255]);

function claim(): Buffer {
  const bytes = Buffer.alloc(4 + SENT_BYTES);
  bytes.writeInt32BE(CLAIMED_BYTES);
  return bytes;
}

async function open(server: Server): Promise<Socket> {
  const [host, port] = server.address.split(":");
  const socket = connect({ host: host ?? "", port: Number(port), noDelay: true });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Asks for the API versions; resolves with the answer. */
async function greet(socket: Socket): Promise<void> {
  const answered = once(socket, "data");
  socket.write(API_VERSIONS);
  await answered;
}

/** Memory of a process that is in RAM. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

test.skipIf(!existsSync("/proc/self/status"))(
  "400 connections that claim frames of 100 MiB cost what they send, and not what they claim",
  () =>
    inWorld(async (world) => {
      const server = await world.serve(["--root", "memory:"]);
      const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(server)));
      const strangers = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(server)));
      await Promise.all(clients.map(greet));
      const before = residentBytes(server.pid);

      // Also from who has said nothing valid yet: clients that come back begin with a large request.
      for (const one of [...clients, ...strangers]) one.write(claim());
      // Answered after all of the above has been taken in: the broker has one thread for it.
      const witness = await open(server);
      await greet(witness);
      const grown = residentBytes(server.pid) - before;
      assert.ok(grown < 64 * MiB, `${(grown / MiB).toFixed(1)} MiB more`);

      const closed = once(witness, "close");
      const tooMuch = Buffer.alloc(4);
      tooMuch.writeInt32BE(CLAIMED_BYTES + 1);
      witness.write(tooMuch);
      await closed;
      for (const one of [...clients, ...strangers]) assert.equal(one.destroyed, false);
      for (const one of [...clients, ...strangers]) one.destroy();
      await server.stop();
    }),
);
