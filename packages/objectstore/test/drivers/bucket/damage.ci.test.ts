import assert from "node:assert/strict";
import type { ObjectStore } from "@karst/objectstore";
import type { BucketOptions } from "@karst/objectstore/s3";
import { afterAll, beforeAll, describe, test } from "vitest";
import { chosenServer } from "../../../../../scripts/s3-server.mjs";
import { CERTIFICATE } from "./certificate.ts";
import { openPlace, type Place, type RealServer, realServer } from "./real-server.ts";
import { tlsFront, type TlsFront } from "./tls-front.ts";

const chosen = chosenServer();
/** What S3 demands of all parts but the last. */
const PART_BYTES = 5 * 1024 * 1024;
const MARK = new TextEncoder().encode("one bit of this will flip on its way");
const MARKED = new Uint8Array(1_000);
MARKED.set(MARK, 500);

const PAYLOADS = [
  ["s3", "unsigned"],
  ["s3", "signed"],
  ["minio", "unsigned"],
] as const;

// A server elsewhere may check the name that a request is sent to, which is the front's.
describe.skipIf(chosen === undefined || chosen === "endpoint")(
  `TLS before ${chosen ?? "no server"}`,
  () => {
    let server: RealServer;
    let place: Place;
    let front: TlsFront;

    beforeAll(async () => {
      if (chosen === undefined) return;
      server = await realServer(chosen);
      place = await server.place();
      front = await tlsFront(place.options.endpoint ?? "");
    }, 600_000);

    afterAll(async () => {
      await front.close();
      await server.stop();
    });

    const open = (
      driver: "s3" | "minio",
      payload: NonNullable<BucketOptions["payload"]>,
    ): ObjectStore => {
      const { endpoint } = front;
      const options = { ...place.options, endpoint, payload, ca: CERTIFICATE };
      return openPlace(driver, { options, prefix: undefined });
    };

    for (const [driver, payload] of PAYLOADS) {
      test(`${driver}, ${payload}: bytes that are damaged on their way are no object and no part of one`, async () => {
        const store = open(driver, payload);
        const key = `${driver}/${payload}`;
        const large = new Uint8Array(PART_BYTES).fill(7);
        const upload = await store.createMultipart(`${key}/parts`);
        await upload.part(1, [large.subarray(0, 1_000), large.subarray(1_000)]);
        front.damage = MARK;
        front.damaged = 0;
        const refused = { code: "UNAVAILABLE", message: /put of|part 2 of/ };
        await assert.rejects(store.put(`${key}/a`, MARKED), refused);
        await assert.rejects(store.putIfAbsent(`${key}/b`, MARKED), refused);
        await assert.rejects(upload.part(2, MARKED), refused);
        assert.equal(front.damaged, 3);
        front.damage = undefined;
        assert.equal(await store.head(`${key}/a`), undefined);
        assert.equal(await store.putIfAbsent(`${key}/b`, MARKED), "created");
        await upload.part(2, MARKED);
        await upload.complete();
        const range = { start: PART_BYTES - 1, end: PART_BYTES + MARKED.length };
        assert.deepEqual(
          Buffer.from(await store.get(`${key}/parts`, { range })),
          Buffer.from([7, ...MARKED]),
        );
        await store.close();
      });
    }
  },
);
