import { type ObjectStore, retryingObjectStore } from "@karst/objectstore";
import type { BucketCredentials } from "@karst/objectstore/s3";
import { type Clock, crc32c } from "@karst/runtime";
import { nodeClock } from "@karst/runtime/node";
import { ManualClock, SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "vitest";
import { CERTIFICATE } from "./certificate.ts";
import { DRIVERS } from "./real-server.ts";
import { type Answer, inTurn, ok, s3Error, ScriptedServer } from "./scripted-server.ts";

const BODY = new Uint8Array(1_000).fill(7);
const MINUTE_MS = 60_000;
const FIXED: BucketCredentials = { accessKeyId: "AKID", secretAccessKey: "secret" };

/** One after the other; how often it was asked. */
function provider(...given: readonly BucketCredentials[]): {
  readonly get: () => Promise<BucketCredentials>;
  readonly asked: () => number;
} {
  let asked = 0;
  return {
    get: async () => {
      asked += 1;
      return given[Math.min(asked, given.length) - 1] ?? FIXED;
    },
    asked: () => asked,
  };
}

/** Takes an upload in parts. */
const uploads: Answer = (request, response) => {
  const result = request.path.includes("?uploads")
    ? "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
    : request.method === "POST"
      ? "<CompleteMultipartUploadResult><ETag>&quot;e-1&quot;</ETag></CompleteMultipartUploadResult>"
      : "";
  ok(result)(request, response);
};

function base64Crc(bytes: Uint8Array): string {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(bytes));
  return crc.toString("base64");
}

for (const driver of ["s3", "minio"] as const) {
  describe(`the driver ${driver}`, () => {
    let server: ScriptedServer;

    beforeEach(async () => {
      server = await ScriptedServer.start();
    });

    afterEach(() => server.close());

    const open = (
      credentials: BucketCredentials | (() => Promise<BucketCredentials>),
      clock: Clock = nodeClock,
    ): ObjectStore =>
      DRIVERS[driver]({ bucket: "bucket", endpoint: server.endpoint, credentials, clock });

    test("a session's token is sent; an expired one is replaced and the call goes on", async () => {
      const { get, asked } = provider(
        { ...FIXED, sessionToken: "old" },
        { ...FIXED, sessionToken: "new" },
      );
      const store = open(get);
      server.answer = inTurn(s3Error(400, "ExpiredToken"), ok());
      assert.equal(await store.putIfAbsent("a", [BODY, BODY]), "created");
      assert.equal(await store.putIfAbsent("b", BODY), "created");
      assert.deepEqual(
        server.requests.map(({ headers }) => headers["x-amz-security-token"]),
        ["old", "new", "new"],
      );
      assert.equal(server.requests[1]?.body.length, 2 * BODY.length);
      assert.equal(asked(), 2);
      await store.close();
    });

    test("credentials that are about to expire are asked for anew", async () => {
      const clock = new ManualClock();
      const hour = 60 * MINUTE_MS;
      const until = (ms: number): BucketCredentials => ({
        ...FIXED,
        expiration: new Date(clock.wallMs() + ms),
      });
      const { get, asked } = provider(until(hour), until(2 * hour));
      const store = open(get, clock);
      const askedAfter: number[] = [];
      for (const ms of [0, 54 * MINUTE_MS, 2 * MINUTE_MS, 57 * MINUTE_MS]) {
        await clock.advance(ms);
        for (let i = 0; i < 2; i += 1) await store.put("a", BODY);
        askedAfter.push(asked());
      }
      assert.deepEqual(askedAfter, [1, 1, 2, 2]);
      await store.close();
    });

    test("while its provider fails, credentials serve until they have expired", async () => {
      const clock = new ManualClock();
      const expiration = new Date(clock.wallMs() + 6 * MINUTE_MS);
      let fails = false;
      const store = open(async () => {
        if (fails) throw new Error("the vault is sealed");
        return { ...FIXED, expiration };
      }, clock);
      await store.put("a", BODY);
      fails = true;
      await clock.advance(5 * MINUTE_MS);
      await store.put("a", BODY);
      await clock.advance(MINUTE_MS);
      await assert.rejects(store.put("a", BODY), { code: "STORE_REFUSED", message: /sealed/ });
      assert.equal(server.requests.length, 2);
      await store.close();
    });

    test("requests that are refused the same credentials ask for newer ones once", async () => {
      const { get, asked } = provider(
        { ...FIXED, sessionToken: "old" },
        { ...FIXED, sessionToken: "new" },
      );
      const store = open(get);
      let held: (() => void)[] = [];
      server.answer = (request, response) => {
        if (request.headers["x-amz-security-token"] === "new") {
          ok()(request, response);
          return;
        }
        held.push(() => s3Error(400, "ExpiredToken")(request, response));
        if (held.length < 8) return;
        // The last is answered when others have come back with the new ones.
        const [last, ...others] = held;
        held = [];
        for (const answer of others) answer();
        server.arrival().then(last, assert.fail);
      };
      await Promise.all(Array.from({ length: 8 }, (_call, i) => store.put(`a/${i}`, BODY)));
      assert.equal(asked(), 2);
      assert.equal(server.requests.length, 16);
      await store.close();
    });

    test("who waits for credentials can give up, and then nothing is sent, also after the end", async () => {
      for (const refused of [true, false]) {
        let asked = 0;
        let give: (credentials: BucketCredentials) => void = () => undefined;
        let begun: () => void = () => undefined;
        const waiting = new Promise<void>((resolve) => {
          begun = resolve;
        });
        const store = open(async () => {
          asked += 1;
          if (refused && asked === 1) return FIXED;
          begun();
          return new Promise((resolve) => {
            give = resolve;
          });
        });
        server.answer = s3Error(400, "ExpiredToken");
        server.requests.length = 0;
        const abort = new AbortController();
        const reason = new Error("enough");
        const outcome = assert.rejects(store.put("a", BODY, { signal: abort.signal }), {
          code: "UNAVAILABLE",
          cause: reason,
        });
        await waiting;
        abort.abort(reason);
        await outcome;
        await store.close();
        const { connections } = server;
        give(FIXED);
        server.answer = ok();
        const other = open(FIXED);
        await other.put("b", BODY);
        assert.equal(server.connections, connections + 1);
        assert.equal(server.requests.length, refused ? 2 : 1);
        await other.close();
      }
    });

    test("credentials that stay refused are one error, which nobody retries", async () => {
      const store = open(FIXED);
      const retrying = retryingObjectStore(store, {
        clock: new ManualClock(),
        random: new SeededRandom("credentials"),
      });
      server.answer = s3Error(400, "ExpiredToken");
      await assert.rejects(retrying.put("a", BODY), {
        code: "STORE_REFUSED",
        kind: "unavailable",
        message: /put of a in .*400 ExpiredToken/,
      });
      assert.equal(server.requests.length, 2);
      // An answer to HEAD has a status alone.
      await assert.rejects(retrying.head("a"), { code: "STORE_REFUSED" });
      await store.close();
    });

    test("a provider that fails is asked again by the next call, and nothing is sent", async () => {
      let fails = true;
      const store = open(async () => {
        if (fails) throw new Error("the vault is sealed");
        return FIXED;
      });
      await assert.rejects(store.put("a", BODY), {
        code: "STORE_REFUSED",
        message: /the vault is sealed/,
      });
      assert.equal(server.requests.length, 0);
      fails = false;
      await store.put("a", BODY);
      await store.close();
    });

    test("a clock that is off is named, or made up for, and not taken for bad credentials", async () => {
      const { get, asked } = provider(FIXED);
      const store = open(get);
      const date = new Date(Date.now() - 3_600_000).toUTCString();
      const skewed = s3Error(403, "RequestTimeTooSkewed", { date });
      if (driver === "s3") {
        server.answer = inTurn(skewed, ok());
        await store.put("a", BODY);
        const [first = "", second = ""] = server.requests.map(({ headers }) =>
          String(headers["x-amz-date"]),
        );
        assert.ok(second < first, `${second} after ${first}`);
      }
      server.answer = skewed;
      await assert.rejects(store.put("a", BODY), {
        code: "STORE_REFUSED",
        message: /RequestTimeTooSkewed.*clock is 3\d\d\d s ahead of the server's/,
      });
      server.answer = ok();
      await store.put("a", BODY);
      assert.equal(asked(), 1);
      // Of a server that does not tell the time only the code is known.
      server.answer = (_request, response) => {
        response.sendDate = false;
        response.writeHead(403, { "content-type": "application/xml" });
        response.end("<Error><Code>RequestTimeTooSkewed</Code></Error>");
      };
      await assert.rejects(store.put("a", BODY), { message: /clock and the server's differ/ });
      await store.close();
    });

    test("an hour that the clock is behind is told where a signature is refused", async () => {
      const clock = new ManualClock();
      const store = open(FIXED, clock);
      const date = new Date(clock.wallMs() + 60 * MINUTE_MS).toUTCString();
      server.answer = s3Error(403, "SignatureDoesNotMatch", { date });
      await assert.rejects(store.put("a", BODY), {
        code: "STORE_REFUSED",
        message: /clock is 3600 s behind the server's/,
      });
      await store.close();
    });
  });

  test(`${driver} sends the checksum of every part over TLS, and again when the upload completes`, async () => {
    const server = await ScriptedServer.start("https");
    const options = { bucket: "bucket", endpoint: server.endpoint, credentials: FIXED };
    const store = DRIVERS[driver]({ ...options, ca: CERTIFICATE });
    server.answer = uploads;
    const upload = await store.createMultipart("a");
    await upload.part(1, [BODY, BODY]);
    await upload.part(2, BODY);
    await upload.complete();
    const [begun, one, two, completed] = server.requests;
    assert.equal(begun?.headers["x-amz-checksum-algorithm"], "CRC32C");
    const checksums = [one, two].map((part) => {
      assert.equal(part?.headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
      assert.equal(part.headers["x-amz-checksum-crc32c"], base64Crc(part.body));
      return `<ChecksumCRC32C>${base64Crc(part.body)}</ChecksumCRC32C>`;
    });
    assert.deepEqual(String(completed?.body).match(/<ChecksumCRC32C>.*?<\/\w+>/g), checksums);
    await store.close();
    await server.close();
  });

  test(`${driver} signs the bytes of every part where nothing else vouches for them`, async () => {
    const server = await ScriptedServer.start();
    const store = DRIVERS[driver]({
      bucket: "bucket",
      endpoint: server.endpoint,
      credentials: FIXED,
    });
    server.answer = uploads;
    const upload = await store.createMultipart("a");
    await upload.part(1, BODY);
    await upload.complete();
    const [begun, part, completed] = server.requests;
    assert.equal(begun?.headers["x-amz-checksum-algorithm"], undefined);
    assert.equal(
      part?.headers["x-amz-content-sha256"],
      createHash("sha256").update(BODY).digest("hex"),
    );
    assert.match(String(completed?.body), /<ETag>(?:"|&quot;)e(?:"|&quot;)<\/ETag>/);
    assert.doesNotMatch(String(completed?.body), /Checksum/);
    await store.close();
    await server.close();
  });

  test(`${driver} over TLS trusts the authority that it is given, and sends a checksum, not a hash`, async () => {
    const server = await ScriptedServer.start("https");
    const options = { bucket: "bucket", endpoint: server.endpoint, credentials: FIXED };
    const trusting = DRIVERS[driver]({ ...options, ca: CERTIFICATE });
    const shared = new Uint8Array(new SharedArrayBuffer(300_000)).fill(7);
    await trusting.put("a", [shared, shared]);
    const [request] = server.requests;
    assert.equal(request?.body.length, 600_000);
    assert.ok(request.body.every((byte) => byte === 7));
    assert.equal(request.headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
    assert.match(String(request.headers["x-amz-checksum-crc32c"]), /^[A-Za-z0-9+/]{6}==$/);
    const doubting = DRIVERS[driver](options);
    await assert.rejects(doubting.put("a", BODY), { code: "UNAVAILABLE" });
    assert.equal(server.requests.length, 1);
    await trusting.close();
    await doubting.close();
    await server.close();
  });
}
