import type { ObjectStore } from "@karst/objectstore";
import type { BucketOptions } from "@karst/objectstore/s3";
import { isKarstError } from "@karst/runtime";
import { ManualClock } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, test } from "vitest";
import { DRIVERS } from "./real-server.ts";
import {
  type Answer,
  empty,
  inTurn,
  listed,
  ok,
  page,
  reset,
  s3Error,
  ScriptedServer,
  silence,
} from "./scripted-server.ts";

const SECRET = "a-secret-of-forty-characters-0123456789ab";
const BODY = new Uint8Array(200_000).fill(7);

const DELETED = "<DeleteResult><Deleted><Key>k/0</Key></Deleted></DeleteResult>";

/** What a put of each kind comes to. */
const WRITES: readonly (readonly [name: string, answer: Answer, outcome: string])[] = [
  ["409 ConditionalRequestConflict", s3Error(409, "ConditionalRequestConflict"), "UNAVAILABLE"],
  ["409 OperationAborted", s3Error(409, "OperationAborted"), "UNAVAILABLE"],
  ["500 InternalError", s3Error(500, "InternalError"), "UNKNOWN_OUTCOME"],
  ["503 SlowDown", s3Error(503, "SlowDown"), "UNAVAILABLE"],
  ["503 SlowDownWrite: a quorum was missed", s3Error(503, "SlowDownWrite"), "UNKNOWN_OUTCOME"],
  ["503 ServiceUnavailable", s3Error(503, "ServiceUnavailable"), "UNKNOWN_OUTCOME"],
  ["a proxy's 502", page(502), "UNKNOWN_OUTCOME"],
  ["a proxy's 503", page(503), "UNKNOWN_OUTCOME"],
  ["a proxy's 504", page(504), "UNKNOWN_OUTCOME"],
  ["a proxy's 404", page(404), "UNKNOWN_OUTCOME"],
  ["429", s3Error(429, "TooManyRequests"), "UNAVAILABLE"],
  ["501 NotImplemented", s3Error(501, "NotImplemented"), "STORE_REFUSED"],
  ["400 RequestTimeout", s3Error(400, "RequestTimeout"), "UNAVAILABLE"],
  ["400 BadDigest", s3Error(400, "BadDigest"), "UNAVAILABLE"],
  ["403 AccessDenied", s3Error(403, "AccessDenied"), "STORE_REFUSED"],
  ["403 SignatureDoesNotMatch", s3Error(403, "SignatureDoesNotMatch"), "STORE_REFUSED"],
  ["a proxy's 403", page(403), "STORE_REFUSED"],
  ["404 NoSuchBucket", s3Error(404, "NoSuchBucket"), "STORE_REFUSED"],
  ["301 PermanentRedirect", s3Error(301, "PermanentRedirect"), "STORE_REFUSED"],
  ["a proxy's 200", page(200), "UNKNOWN_OUTCOME"],
  ["a reset", reset, "UNKNOWN_OUTCOME"],
  [
    "an end without an answer",
    (_request, response) => void response.socket?.end(),
    "UNKNOWN_OUTCOME",
  ],
  ["no answer", silence, "UNKNOWN_OUTCOME"],
  ["a 503 that breaks off", cut(503), "UNKNOWN_OUTCOME"],
  ["a 403 that stops", stopped(403), "STORE_REFUSED"],
];

const READS: readonly (readonly [name: string, answer: Answer, outcome: string])[] = [
  ["404 NoSuchKey", s3Error(404, "NoSuchKey"), "OBJECT_NOT_FOUND"],
  ["404 NoSuchBucket", s3Error(404, "NoSuchBucket"), "STORE_REFUSED"],
  ["a proxy's 404", page(404), "UNAVAILABLE"],
  ["416 InvalidRange", s3Error(416, "InvalidRange"), "RANGE_NOT_SATISFIABLE"],
  ["500 InternalError", s3Error(500, "InternalError"), "UNAVAILABLE"],
  ["503 SlowDown", s3Error(503, "SlowDown"), "UNAVAILABLE"],
  ["403 AccessDenied", s3Error(403, "AccessDenied"), "STORE_REFUSED"],
  ["a reset", reset, "UNAVAILABLE"],
  ["no answer", silence, "UNAVAILABLE"],
  ["a 500 that breaks off", cut(500), "UNAVAILABLE"],
  ["a 404 that stops", stopped(404), "UNAVAILABLE"],
  ["the whole object", ok("0123456789"), "UNAVAILABLE"],
  ["a range without its name", partial("23456", undefined), "UNAVAILABLE"],
  ["another range", partial("34567", "bytes 3-7/10"), "UNAVAILABLE"],
  ["a range cut by the object's end", partial("234", "bytes 2-4/5"), "RANGE_NOT_SATISFIABLE"],
  ["fewer bytes than the range has", partial("234", "bytes 2-6/10"), "UNAVAILABLE"],
  ["more bytes than the range has", partial("23456789", "bytes 2-6/10"), "UNAVAILABLE"],
  [
    "a body that breaks off",
    (_request, response) => {
      response.writeHead(206, {
        etag: '"e"',
        "content-range": "bytes 2-6/10",
        "content-length": "5",
      });
      response.write("23", () => response.socket?.resetAndDestroy());
    },
    "UNAVAILABLE",
  ],
  [
    "a body that stops",
    (_request, response) => {
      response.writeHead(206, {
        etag: '"e"',
        "content-range": "bytes 2-6/10",
        "content-length": "5",
      });
      response.write("23");
    },
    "UNAVAILABLE",
  ],
];

function cut(status: number): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-length": "500" });
    response.write("<Error><Code>Slow", () => response.socket?.resetAndDestroy());
  };
}

function stopped(status: number): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-length": "500" }).write("<Error>");
  };
}

function partial(body: string, range: string | undefined): Answer {
  return (_request, response) => {
    const headers = range === undefined ? {} : { "content-range": range };
    response.writeHead(206, { etag: '"e"', ...headers }).end(body);
  };
}

for (const driver of ["s3", "minio"] as const) {
  describe(`the driver ${driver}`, () => {
    let server: ScriptedServer;
    let store: ObjectStore;

    /** Patient, except where an answer never comes: on a busy machine any other is late at times. */
    const open = (endpoint: string, options: Partial<BucketOptions> = {}): ObjectStore =>
      DRIVERS[driver]({
        bucket: "bucket",
        endpoint,
        region: "us-east-1",
        credentials: { accessKeyId: "AKID", secretAccessKey: SECRET },
        ...options,
      });

    beforeEach(async () => {
      server = await ScriptedServer.start();
      store = open(server.endpoint);
    });

    afterEach(async () => {
      await store.close();
      await server.close();
    });

    const beforehand = async (name: string, answer: Answer): Promise<void> => {
      server.answer = answer;
      if (!/no answer|stops/.test(name)) return;
      await store.close();
      store = open(server.endpoint, { limits: { requestTimeoutMs: 200 } });
    };

    const codeOf = async (call: Promise<unknown>): Promise<string> => {
      const [settled] = await Promise.allSettled([call]);
      if (settled.status === "fulfilled") return String(settled.value);
      assert.ok(isKarstError(settled.reason), inspect(settled.reason));
      assert.ok(!inspect(settled.reason, { depth: 10 }).includes(SECRET), "it tells a secret");
      return settled.reason.code;
    };

    for (const [name, answer, outcome] of WRITES) {
      test(`a put that meets ${name}: ${outcome}, after one request`, async () => {
        await beforehand(name, answer);
        assert.equal(await codeOf(store.put("a", BODY)), outcome);
        assert.equal(await codeOf(store.putIfAbsent("a", [BODY, BODY])), outcome);
        assert.equal(server.requests.length, 2);
        assert.equal(server.requests[1]?.headers["if-none-match"], "*");
        assert.equal(server.requests[1]?.body.length, 2 * BODY.length);
      });
    }

    for (const [name, answer, outcome] of READS) {
      test(`a range read that meets ${name}: ${outcome}`, async () => {
        await beforehand(name, answer);
        const read = store.get("a", { range: { start: 2, end: 7 } });
        assert.equal(await codeOf(read), outcome);
        assert.equal(server.requests.length, 1);
        assert.equal(server.requests[0]?.headers["range"], "bytes=2-6");
      });
    }

    test("412 is an answer: exists, or mismatch, as is 404 where a version must be there", async () => {
      server.answer = s3Error(412, "PreconditionFailed");
      assert.equal(await store.putIfAbsent("a", BODY), "exists");
      assert.equal(await store.putIfMatch("a", BODY, "e"), "mismatch");
      assert.equal(server.requests[1]?.headers["if-match"], '"e"');
      server.answer = s3Error(404, "NoSuchKey");
      assert.equal(await store.putIfMatch("a", BODY, "e"), "mismatch");
      // A plain put has no condition that could fail.
      server.answer = s3Error(412, "PreconditionFailed");
      assert.equal(await codeOf(store.put("a", BODY)), "UNKNOWN_OUTCOME");
    });

    test("a directory in an object's place may be going: a few tries, then unavailable", async () => {
      const conflict = s3Error(409, "ExistingObjectIsDirectory");
      server.answer = inTurn(conflict, conflict, ok());
      assert.equal(await store.putIfAbsent("a", BODY), "created");
      server.answer = s3Error(409, "ObjectParentIsFile");
      assert.equal(await codeOf(store.put("a", BODY)), "UNAVAILABLE");
      assert.equal(server.requests.length, 3 + 4);
    });

    test("what is refused or not reached at all certainly did not happen", async () => {
      await server.close();
      assert.equal(await codeOf(store.put("a", BODY)), "UNAVAILABLE");
      const mute = createServer((socket) => socket.on("error", () => undefined));
      await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
      const { port } = mute.address() as AddressInfo;
      const clock = new ManualClock();
      const never = open(`https://127.0.0.1:${port}`, { clock });
      const connected = new Promise((resolve) => mute.once("connection", resolve));
      const refused = assert.rejects(never.put("a", BODY), {
        code: "UNAVAILABLE",
        message: /no connection within 5000 ms/,
      });
      await connected;
      await clock.advance(4_999);
      assert.equal(clock.pendingTimers, 1);
      await clock.advance(1);
      await refused;
      await never.close();
      mute.close();
    });

    test("a head that finds nothing asks once whether the bucket is there", async () => {
      server.answer = inTurn(s3Error(404, "x"), s3Error(404, "NoSuchBucket"));
      assert.equal(await codeOf(store.head("a")), "STORE_REFUSED");
      const empty = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
      server.answer = inTurn(s3Error(404, "x"), ok(empty), s3Error(404, "x"));
      assert.equal(await store.head("a"), undefined);
      const asked = server.requests.length;
      assert.equal(await store.head("a"), undefined);
      assert.equal(server.requests.length, asked + 1);
    });

    test("an abort under way ends the call at once, and says what it knows", async () => {
      server.answer = silence;
      for (const [call, outcome] of [
        [(signal: AbortSignal) => store.put("a", BODY, { signal }), "UNKNOWN_OUTCOME"],
        [(signal: AbortSignal) => store.get("a", { signal }), "UNAVAILABLE"],
      ] as const) {
        const abort = new AbortController();
        const arrival = server.arrival();
        const running = call(abort.signal);
        const reason = new Error("enough");
        await Promise.all([
          assert.rejects(running, { code: outcome, cause: reason }),
          arrival.then(() => abort.abort(reason)),
        ]);
      }
    });

    test("connections are kept, bounded, and so are the calls that wait for one", async () => {
      server.answer = ok();
      for (let i = 0; i < 5; i += 1) await store.put("a", BODY);
      assert.equal(server.connections, 1);
      const bounded = DRIVERS[driver]({
        bucket: "bucket",
        endpoint: server.endpoint,
        credentials: { accessKeyId: "AKID", secretAccessKey: SECRET },
        limits: { connections: 2, calls: 8 },
      });
      const settled = await Promise.allSettled(
        Array.from({ length: 10 }, (_call, i) => bounded.put(`a/${i}`, BODY)),
      );
      assert.equal(server.connections, 3);
      const refused = settled.filter((one) => one.status === "rejected");
      assert.equal(refused.length, 2);
      for (const one of refused) assert.ok(isKarstError(one.reason, "unavailable"));
      await bounded.close();
    });

    test("a list that is none, or goes backwards, or repeats itself, is unavailable", async () => {
      const keysOf = async (): Promise<string> => {
        const keys: string[] = [];
        for await (const { key, etag } of store.list("")) keys.push(`${key}:${etag}`);
        return keys.join(" ");
      };
      server.answer = inTurn(listed(["007", "1e5", "a b", "b"], "t&amp;1"), listed(["c"]));
      assert.equal(await codeOf(keysOf()), "007:e 1e5:e b:e c:e");
      assert.match(server.requests.at(-1)?.path ?? "", /continuation-token=t%261/);
      for (const answer of [
        listed(["b", "a"]),
        listed(["a"], "t"),
        page(200),
        ok(""),
        ok("<ListBucketResult><Contents><Key>a</Key>"),
      ]) {
        server.answer = answer;
        assert.equal(await codeOf(keysOf()), "UNAVAILABLE");
      }
    });

    test("many keys go a thousand at a time, one by one where the server does not do that", async () => {
      const keys = Array.from({ length: 2_500 }, (_key, i) => `k/${i}`);
      server.answer = ok(DELETED);
      await store.delete(keys);
      assert.deepEqual(
        server.requests.map(({ method, body }) => [method, String(body).split("<Key>").length - 1]),
        [
          ["POST", 1_000],
          ["POST", 1_000],
          ["POST", 500],
        ],
      );
      server.answer = ok(
        "<DeleteResult><Error><Key>k/1</Key><Code>InternalError</Code></Error></DeleteResult>",
      );
      assert.equal(await codeOf(store.delete(keys)), "UNKNOWN_OUTCOME");
      server.answer = inTurn(ok(DELETED), s3Error(503, "SlowDown"));
      assert.equal(await codeOf(store.delete(keys)), "UNKNOWN_OUTCOME");

      server.requests.length = 0;
      server.answer = (request, response) =>
        request.method === "POST"
          ? s3Error(400, "MissingContentMD5")(request, response)
          : empty(request, response);
      await store.delete(keys.slice(0, 40));
      await store.delete(keys.slice(40, 60));
      assert.deepEqual(
        ["POST", "DELETE"].map(
          (name) => server.requests.filter(({ method }) => method === name).length,
        ),
        [1, 60],
      );
      server.answer = inTurn(s3Error(503, "SlowDown"), empty);
      assert.equal(await codeOf(store.delete(keys.slice(0, 3))), "UNKNOWN_OUTCOME");
      server.answer = s3Error(503, "SlowDown");
      assert.equal(await codeOf(store.delete(keys.slice(0, 3))), "UNAVAILABLE");
    });

    test("an upload's completion that fails behind a 200 is unknown, and may be tried again", async () => {
      server.answer = ok(
        "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
      );
      const upload = await store.createMultipart("a");
      server.answer = ok();
      await upload.part(1, BODY);
      server.answer = ok("<Error><Code>InternalError</Code><Message>late</Message></Error>");
      assert.equal(await codeOf(upload.complete()), "UNKNOWN_OUTCOME");
      server.answer = page(200);
      assert.equal(await codeOf(upload.complete()), "UNKNOWN_OUTCOME");
      server.answer = s3Error(404, "NoSuchUpload");
      assert.equal(await codeOf(upload.complete()), "UNKNOWN_OUTCOME");
      server.answer = s3Error(404, "NoSuchUpload");
      await upload.abort();
    });
  });
}
