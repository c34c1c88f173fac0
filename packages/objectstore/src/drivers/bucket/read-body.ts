import type { Readable } from "node:stream";

/**
 * The bytes of an answer, in memory of their own: one allocation where the length is announced.
 *
 * @param bytes what was announced; undefined: unknown until the end.
 * @throws Error where the body is shorter or longer than that, or ends in the middle.
 */
export async function readBody(body: Readable, bytes: number | undefined): Promise<Uint8Array> {
  if (bytes === undefined) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return new Uint8Array(Buffer.concat(chunks));
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    if (at + chunk.length > bytes) throw new Error(`the body is longer than ${bytes} bytes`);
    whole.set(chunk, at);
    at += chunk.length;
  }
  if (at < bytes) throw new Error(`the body ends after ${at} of ${bytes} bytes`);
  return whole;
}
