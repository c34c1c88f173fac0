import assert from "node:assert/strict";
import { hasCode, jsonCodec, type StandardSchema, textCodec } from "karst";
import { test } from "vitest";
import { collect, openEngine } from "./world.ts";

interface Order {
  readonly id: number;
}

/** What zod, valibot and arktype give, by hand. */
const orderSchema: StandardSchema<{ readonly id: string | number }, Order> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      const id = Number((value as { readonly id?: unknown } | null)?.id);
      return Number.isInteger(id)
        ? { value: { id } }
        : { issues: [{ message: "not a whole number", path: [{ key: "id" }] }] };
    },
  },
};

test("values and keys go through their codecs", async () => {
  const engine = await openEngine();
  const topic = engine.topic("orders", { codec: jsonCodec<Order>(), keyCodec: textCodec });
  await topic.append([
    { key: "a", value: { id: 1 } },
    { key: "a", value: { id: 2 } },
    { value: { id: 3 } },
  ]);
  const records = await collect(topic.read());
  assert.deepEqual(
    records.map(({ key, value }) => [key, value]),
    [
      ["a", { id: 1 }],
      ["a", { id: 2 }],
      [null, { id: 3 }],
    ],
  );
  assert.equal(records[0]?.value, records[0]?.value, "decoded once");
  assert.deepEqual(records[0]?.bytes(), new TextEncoder().encode('{"id":1}'));
});

test("a schema checks both ways, and its refusals name the place", async () => {
  const engine = await openEngine();
  const topic = engine.topic("orders", { codec: jsonCodec(orderSchema) });
  await topic.append({ value: { id: "42" } });
  assert.deepEqual((await collect(topic.read()))[0]?.value, { id: 42 });
  await assert.rejects(
    topic.append({ value: { id: "x" } }),
    (error) => hasCode(error, "ENCODING_FAILED") && /id: not a whole number/.test(error.message),
  );

  await engine.topic("orders").append({ value: '{"id":"x"}' });
  const [good, bad] = await collect(topic.read());
  assert.deepEqual(good?.value, { id: 42 });
  assert.throws(
    () => bad?.value,
    (error) =>
      hasCode(error, "DECODING_FAILED") &&
      /offset 1 of partition 0 of orders: id: not a whole/.test(error.message),
  );
  assert.equal(bad?.text(), '{"id":"x"}', "the bytes can still be had");
});

test("an asynchronous schema is refused", async () => {
  const schema: StandardSchema = {
    "~standard": { version: 1, vendor: "slow", validate: async (value) => ({ value }) },
  };
  const topic = (await openEngine()).topic("orders", { codec: jsonCodec(schema) });
  await assert.rejects(
    topic.append({ value: 1 }),
    (error) =>
      hasCode(error, "ENCODING_FAILED") && /slow schema is asynchronous/.test(error.message),
  );
});

test("what JSON cannot say is refused, and null is a tombstone", async () => {
  const topic = (await openEngine()).topic("orders", { codec: jsonCodec() });
  for (const value of [undefined, () => 1, 10n]) {
    await assert.rejects(topic.append({ value }), (error) => hasCode(error, "ENCODING_FAILED"));
  }
  await topic.append({ value: null });
  const [record] = await collect(topic.read());
  assert.equal(record?.value, null);
  assert.equal(record?.bytes(), null);
});

test("text that is not UTF-8 is refused by the text codec alone", async () => {
  const engine = await openEngine();
  await engine.topic("orders").append({ value: new Uint8Array([0xff]) });
  const [record] = await collect(engine.topic("orders", { codec: textCodec }).read());
  assert.throws(
    () => record?.value,
    (error) => hasCode(error, "DECODING_FAILED"),
  );
  assert.equal(record?.text(), "\uFFFD");
});

test("a codec knows what it encodes, and may only make bytes", async () => {
  const engine = await openEngine();
  const seen: string[] = [];
  const topic = engine.topic("orders", {
    codec: {
      encode: (value: string, { topic: name, part }) => {
        seen.push(`${name} ${part}`);
        return value === "wrong" ? (5 as never) : value;
      },
      decode: () => "",
    },
  });
  await topic.append({ value: "a" });
  assert.deepEqual(seen, ["orders value"]);
  await assert.rejects(topic.append({ value: "wrong" }), (error) =>
    hasCode(error, "INVALID_APPEND"),
  );
});
