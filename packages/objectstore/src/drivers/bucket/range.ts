import type { Readable } from "node:stream";
import { resolveRange } from "../../body.ts";
import type { ByteRange } from "../../object-store.ts";
import type { Exchange } from "./exchange.ts";
import { checkVersioned } from "./own-answer.ts";
import { readBody } from "./read-body.ts";

/** @throws KarstError `RANGE_NOT_SATISFIABLE` (`out_of_range`) for what is a range of no object. */
export function rangeHeader(key: string, range: ByteRange | undefined): string | undefined {
  if (range === undefined) return undefined;
  const { start, end } = resolveRange(key, range, Number.MAX_SAFE_INTEGER);
  return `bytes=${start}-${end - 1}`;
}

/**
 * The bytes that were asked for, and no others: S3 answers a range that goes beyond the end with what there is, and some servers,
 * and caches before them, answer every range with the whole object.
 *
 * @throws KarstError `RANGE_NOT_SATISFIABLE`; Error where the answer is another one than that to the request.
 */
export async function readRange(answer: {
  readonly key: string;
  readonly range: ByteRange | undefined;
  readonly exchange: Exchange;
  readonly body: Readable;
}): Promise<Uint8Array> {
  const { key, range, exchange, body } = answer;
  const { outcome } = exchange;
  try {
    if (outcome.tag !== "answered") throw new Error("there was no answer");
    checkVersioned(exchange);
    const announced = lengthOf(outcome.headers["content-length"]);
    if (range === undefined) {
      if (outcome.status !== 200) throw new Error(`status ${outcome.status} for a whole object`);
      return await readBody(body, announced);
    }
    const { start, end } = range;
    if (outcome.status === 206) {
      const given = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(outcome.headers["content-range"] ?? "");
      if (given === null) throw new Error("an answer to a range does not say which it has");
      const [from, to, bytes] = given.slice(1).map(Number) as [number, number, number];
      if (end > bytes) resolveRange(key, range, bytes);
      if (from !== start || to + 1 !== end) throw new Error(`bytes ${from}-${to} were given`);
    } else if (start !== 0 || announced !== end) {
      throw new Error("the whole object was given for a range of it");
    }
    if (announced !== undefined && announced !== end - start)
      throw new Error(`${announced} bytes were announced`);
    return await readBody(body, end - start);
  } catch (error) {
    body.destroy();
    throw error;
  }
}

function lengthOf(header: string | undefined): number | undefined {
  const bytes = Number(header ?? Number.NaN);
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}
