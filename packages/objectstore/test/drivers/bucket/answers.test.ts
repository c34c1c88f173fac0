import type { ObjectStore } from "@karst/objectstore";
import { isKarstError } from "@karst/runtime";
import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, describe, test, vi } from "vitest";
import { DRIVERS } from "./real-server.ts";
import {
  type Answer,
  inTurn,
  listed,
  ok,
  page,
  reset,
  s3Error,
  ScriptedServer,
} from "./scripted-server.ts";

const BODY = new Uint8Array([1, 2, 3]);
const CREDENTIALS = { accessKeyId: "AKID", secretAccessKey: "secret" };

/** Answers that only something between the driver and its server gives, and what each call makes of them. */
const BETWEEN: readonly (readonly [name: string, answer: Answer, read: string, write: string])[] = [
  ["a page with status 200", page(200), "UNAVAILABLE", "UNKNOWN_OUTCOME"],
  ["a page with status 404", page(404), "UNAVAILABLE", "UNKNOWN_OUTCOME"],
  ["a page with status 409", page(409), "UNAVAILABLE", "UNKNOWN_OUTCOME"],
  ["a page with status 412", page(412), "UNAVAILABLE", "UNKNOWN_OUTCOME"],
  ["a page with status 416", page(416), "UNAVAILABLE", "UNKNOWN_OUTCOME"],
  ["a body without an end", endless(200, { etag: '"e"' }), "UNAVAILABLE", "UNKNOWN_OUTCOME"],
];

/** Its body ends where the connection does: cut, it looks whole. */
function endless(status: number, headers: Readonly<Record<string, string>>): Answer {
  return (_request, response) => {
    const head = { ...headers, connection: "close" };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
    response.socket?.end(`HTTP/1.1 ${status} OK\r\n${lines.join("")}\r\n<DeleteResult>01`);
  };
}

for (const driver of ["s3", "minio"] as const) {
  describe(`the driver ${driver}`, () => {
    let server: ScriptedServer;
    let store: ObjectStore;

    beforeEach(async () => {
      server = await ScriptedServer.start();
      store = DRIVERS[driver]({
        bucket: "bucket",
        endpoint: server.endpoint,
        credentials: CREDENTIALS,
      });
    });

    afterEach(async () => {
      await store.close();
      await server.close();
    });

    const codeOf = async (call: Promise<unknown>): Promise<string> => {
      const [settled] = await Promise.allSettled([call]);
      if (settled.status === "fulfilled") return JSON.stringify(settled.value) ?? "done";
      assert.ok(isKarstError(settled.reason), String(settled.reason));
      return settled.reason.code;
    };

    const keysOf = async (): Promise<readonly string[]> => {
      const keys: string[] = [];
      for await (const { key } of store.list("")) keys.push(key);
      return keys;
    };

    for (const [name, answer, read, write] of BETWEEN) {
      test(`${name} is no answer to anything`, async () => {
        server.answer = answer;
        const codes = {
          get: await codeOf(store.get("a")),
          range: await codeOf(store.get("a", { range: { start: 0, end: 2 } })),
          list: await codeOf(keysOf()),
          deleteMany: await codeOf(store.delete(["a", "b"])),
          createMultipart: await codeOf(store.createMultipart("a")),
        };
        assert.deepEqual(codes, {
          get: read,
          range: read,
          list: read,
          deleteMany: write,
          createMultipart: write,
        });
        // The answers to these have nothing but headers, in which a server of S3 names what was written.
        if (name.includes("body")) return;
        assert.equal(await codeOf(store.putIfAbsent("a", BODY)), write);
        assert.equal(await codeOf(store.delete(["a"])), write);
        assert.equal(await codeOf(store.head("a")), read);
      });
    }

    test("a head's absence is looked up where it is not a server of S3 that says it", async () => {
      const absent = page(404);
      server.answer = inTurn(absent, listed(["a"]));
      assert.equal(await codeOf(store.head("a")), "UNAVAILABLE");
      server.answer = inTurn(absent, listed(["a/b"]));
      assert.equal(await store.head("a"), undefined);
      server.requests.length = 0;
      server.answer = s3Error(404, "NoSuchKey");
      assert.equal(await store.head("a"), undefined);
      assert.equal(server.requests.length, 1);
    });

    test("a list whose pages lead nowhere ends", async () => {
      server.answer = (request, response) => {
        const turn = request.path.includes("continuation-token")
          ? listed([], "t")
          : listed(["a"], "t");
        turn(request, response);
      };
      assert.equal(await codeOf(keysOf()), "UNAVAILABLE");
      assert.equal(server.requests.length, 2);
      server.answer = inTurn(listed(["a"], "t"), listed([], "u"), listed(["b"]));
      assert.deepEqual(await keysOf(), ["a", "b"]);
    });

    test("a list that goes on without saying where, or is cut, is not taken for its end", async () => {
      const entry = "<Contents><Key>a</Key><Size>1</Size><ETag>e</ETag></Contents>";
      for (const text of [
        `<ListBucketResult><IsTruncated>true</IsTruncated>${entry}</ListBucketResult>`,
        `<ListBucketResult><IsTruncated>false</IsTruncated>${entry}<Contents><Key>b</Key>`,
        `<ListBucketResult><IsTruncated>false</IsTruncated>${entry}`,
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>",
      ]) {
        server.answer = ok(text);
        assert.equal(await codeOf(keysOf()), "UNAVAILABLE", text);
      }
    });

    test("an answer to a delete of many that leaves keys out is unknown", async () => {
      server.answer = ok("<DeleteResult><Deleted><Key>a</Key></Deleted>");
      assert.equal(await codeOf(store.delete(["a", "b"])), "UNKNOWN_OUTCOME");
      server.answer = ok("");
      assert.equal(await codeOf(store.delete(["a", "b"])), "UNKNOWN_OUTCOME");
    });

    test("an etag that something on the way has weakened is still the object's", async () => {
      server.answer = ok("abc", { etag: 'W/"e"' });
      assert.equal((await store.head("a"))?.etag, "e");
    });

    test("of an error without an end no more is read than is looked at", async () => {
      server.answer = (_request, response) => {
        response.writeHead(503, { "content-type": "application/xml" });
        response.write("<Error><Code>SlowDown</Code></Error>");
        const more = Buffer.alloc(64 * 1024);
        const go = (): void => {
          while (!response.destroyed && response.write(more));
        };
        response.on("drain", go);
        go();
      };
      assert.equal(await codeOf(store.put("a", BODY)), "UNAVAILABLE");
    });

    test("what fails is told to the caller alone, and not to the console", async () => {
      const told = (["log", "info", "warn", "error"] as const).map((method) =>
        vi.spyOn(console, method),
      );
      server.answer = reset;
      const large = new Uint8Array(200_000);
      const outcome = await codeOf(store.put("a", [large, large]));
      const times = told.map((spy) => spy.mock.calls.length);
      vi.restoreAllMocks();
      assert.equal(outcome, "UNKNOWN_OUTCOME");
      assert.deepEqual(times, [0, 0, 0, 0]);
    });

    test("a call that has settled sends no byte of its body any more", async () => {
      const early = await EarlyAnswer.start();
      const body = new Uint8Array(16 * 1024 * 1024).fill(7);
      const hasty = DRIVERS[driver]({
        bucket: "bucket",
        endpoint: early.endpoint,
        credentials: CREDENTIALS,
      });
      assert.equal(await codeOf(hasty.put("a", [body.subarray(0, 1_000), body])), "UNAVAILABLE");
      // As a buffer that goes back to its pool.
      body.fill(8);
      const received = await early.rest();
      assert.ok(received.length < body.length);
      assert.ok(!received.includes(8), "bytes of the next use were sent");
      await hasty.close();
      await early.close();
    });
  });
}

/** Answers 503 as soon as a request begins, and reads the rest when it is told to. */
class EarlyAnswer {
  readonly endpoint: string;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<EarlyAnswer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const early = new EarlyAnswer(server);
    server.on("connection", (socket) => {
      early.#sockets.push(socket);
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.pause();
        const error = "<Error><Code>SlowDown</Code></Error>";
        socket.write(`HTTP/1.1 503 Slow\r\ncontent-length: ${error.length}\r\n\r\n${error}`);
      });
    });
    return early;
  }

  /** What still comes, until the connection closes or nothing can come any more. */
  async rest(): Promise<Buffer> {
    const [socket] = this.#sockets;
    assert.ok(socket !== undefined);
    const chunks: Buffer[] = [];
    let bytes = 0;
    await new Promise<void>((resolve) => {
      socket.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= 16 * 1024 * 1024) resolve();
      });
      socket.on("close", () => resolve());
      socket.resume();
    });
    return Buffer.concat(chunks);
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
