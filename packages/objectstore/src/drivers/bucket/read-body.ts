import { finished, type Readable } from "node:stream";

/**
 * The bytes of an answer, in memory of their own: one allocation where the length is announced.
 *
 * @param bytes what was announced; undefined: unknown until the end.
 * @throws Error where the body is shorter or longer than that, or breaks off.
 */
export function readBody(body: Readable, bytes: number | undefined): Promise<Uint8Array> {
  return bytes === undefined ? readAll(body) : readExactly(body, bytes);
}

/** By events: an iteration would join the chunks that wait for it, a copy more. */
function readExactly(body: Readable, bytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const whole = new Uint8Array(bytes);
    let at = 0;
    body.on("data", (chunk: Uint8Array) => {
      if (at + chunk.length > bytes) {
        body.destroy(new Error(`the body is longer than ${bytes} bytes`));
        return;
      }
      whole.set(chunk, at);
      at += chunk.length;
    });
    // Also of a body that has broken off before it is read.
    finished(body, { writable: false }, (error) => {
      if (error) reject(error);
      else if (at < bytes) reject(new Error(`the body ends after ${at} of ${bytes} bytes`));
      else resolve(whole);
    });
  });
}

async function readAll(body: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}
