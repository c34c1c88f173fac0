import { createServer, type Socket } from "node:net";
import { produceApi } from "@karst/kafka-protocol";
import { crc32c, setInt64, viewOf } from "@karst/runtime";
import { Frames } from "../load/frames.ts";
import { ACKNOWLEDGEMENT, produceAcknowledgement } from "../load/requests.ts";
import { BareLog, type BareMode } from "./group-commit.ts";

/*
 * A process: what produce requests cost at least. TCP, frames, a parser for the one shape of request that the load client sends, the
 * batch's CRC, an offset, the bare group-commit loop, and answers written once per connection and group. Nothing else: no
 * topics, limits, validation, index, cache, upload or recovery.
 *
 *   node toy-broker.js FILE MODE        prints its port
 */

const [path, mode] = process.argv.slice(2);
const log = new BareLog(path as string, mode as BareMode);
const template = produceAcknowledgement();
const nextOffsets: number[] = [];
const unsent = new Set<Client>();

/** A frame with a correlation id alone. */
const EMPTY_ANSWER = new Uint8Array([0, 0, 0, 4, 0, 0, 0, 0]);
const AT_CLIENT_ID = 12;
const BATCH_AT_CRC = 17;
const BATCH_AT_ATTRIBUTES = 21;
const BATCH_AT_COUNT = 57;

class Client {
  readonly #socket: Socket;
  #answers: Uint8Array[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    const frames = new Frames((frame) => this.#serve(frame));
    socket.on("data", (chunk) => frames.push(chunk));
    socket.on("error", () => socket.destroy());
  }

  send(): void {
    const answers = this.#answers;
    this.#answers = [];
    this.#socket.write(answers.length === 1 ? (answers[0] as Uint8Array) : Buffer.concat(answers));
  }

  #serve(frame: Uint8Array): void {
    const view = viewOf(frame);
    if (view.getInt16(4) !== produceApi.key) {
      this.#socket.write(EMPTY_ANSWER);
      return;
    }
    const { partition, batch } = parse(frame, view);
    const header = viewOf(batch);
    if (crc32c(batch.subarray(BATCH_AT_ATTRIBUTES)) !== header.getUint32(BATCH_AT_CRC)) {
      throw new Error("a batch is damaged");
    }
    const offset = nextOffsets[partition] ?? 0;
    nextOffsets[partition] = offset + header.getInt32(BATCH_AT_COUNT);
    const answer = template.slice();
    const answerView = viewOf(answer);
    answerView.setInt32(ACKNOWLEDGEMENT.atCorrelationId, view.getInt32(8));
    answerView.setInt32(ACKNOWLEDGEMENT.atIndex, partition);
    setInt64(answerView, ACKNOWLEDGEMENT.atBaseOffset, offset);
    log.appendThen(batch, () => {
      this.#answers.push(answer);
      if (unsent.size === 0) queueMicrotask(sendAll);
      unsent.add(this);
    });
  }
}

function sendAll(): void {
  for (const client of unsent) client.send();
  unsent.clear();
}

/** Produce v9: header (clientId, tags), transactionalId, acks, timeoutMs, one topic, one partition, one batch. */
function parse(
  frame: Uint8Array,
  view: DataView,
): { readonly partition: number; readonly batch: Uint8Array } {
  let at = AT_CLIENT_ID;
  at += 2 + Math.max(0, view.getInt16(at)) + 1;
  at += Math.max(1, frame[at] as number);
  at += 2 + 4 + 1;
  at += frame[at] as number;
  at += 1;
  const partition = view.getInt32(at);
  at += 4;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = frame[at] as number;
    at += 1;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return { partition, batch: frame.subarray(at, at + length - 1) };
}

const server = createServer((socket) => new Client(socket));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(`listening on ${address.port}`);
});
