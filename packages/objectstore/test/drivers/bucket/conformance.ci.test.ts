import { KEY_LENGTH_MAX } from "@karst/objectstore";
import { objectStoreConformance } from "@karst/objectstore/conformance";
import { afterAll, beforeAll, describe, test } from "vitest";
import { chosenServer } from "../../../../../scripts/s3-server.mjs";
import { openPlace, type RealServer, realServer } from "./real-server.ts";

const chosen = chosenServer();
/** `test/` and a UUID. */
const PREFIX_LENGTH = 42;

describe.skipIf(chosen === undefined)(`over ${chosen ?? "no server"}`, () => {
  let server: RealServer;

  beforeAll(async () => {
    if (chosen !== undefined) server = await realServer(chosen);
  }, 600_000);

  afterAll(() => server.stop());

  for (const driver of ["s3", "minio"] as const) {
    describe(`the driver ${driver}`, () => {
      objectStoreConformance({
        test,
        create: async () => openPlace(driver, await server.place()),
        keyLengthMax: chosen === "endpoint" ? KEY_LENGTH_MAX - PREFIX_LENGTH : KEY_LENGTH_MAX,
      });
    });
  }
});
