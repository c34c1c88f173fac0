/*
 * The process that is killed when the embedded API is under test: opens an engine and appends what its parent sends. It keeps no
 * record of what was acknowledged; the parent does.
 */
import { pathToFileURL } from "node:url";
import { type Compression, type Engine, hasCode, isKarstError, open, type Topic } from "karst";
import type { Row } from "../dataset.ts";

export interface AppendMessage {
  readonly tag: "append";
  readonly request: number;
  readonly topic: string;
  readonly partition: number;
  readonly compression: Compression;
  readonly rows: readonly Row[];
  /** Append them as one batch, if the partition's next offset is this one or they are there already. Else each row by itself. */
  readonly ifOffset: number | undefined;
}

export interface OpenMessage {
  readonly tag: "open";
  readonly root: string;
  readonly wal: string | undefined;
  readonly limits: Readonly<Record<string, number>>;
}

export type ParentMessage =
  | OpenMessage
  | AppendMessage
  | { readonly tag: "read"; readonly topic: string }
  | { readonly tag: "close" }
  /** The `karst` command in this process: a named root in memory is still there. */
  | { readonly tag: "command"; readonly path: string; readonly args: readonly string[] }
  | { readonly tag: "end" };

export type ChildMessage =
  | { readonly tag: "opened" }
  | { readonly tag: "acknowledged"; readonly request: number; readonly offsets: readonly number[] }
  /** The engine was closed before it was certain that all of it is appended. */
  | { readonly tag: "refused"; readonly request: number }
  | {
      readonly tag: "record";
      readonly partition: number;
      readonly offset: number;
      readonly key: string;
      readonly value: string;
    }
  | { readonly tag: "read-end" }
  | { readonly tag: "closed" };

let engine: Engine | undefined;

function tell(message: ChildMessage): void {
  process.send?.(message);
}

async function handle(message: ParentMessage): Promise<void> {
  switch (message.tag) {
    case "open":
      engine = await open({ root: message.root, wal: message.wal, limits: message.limits });
      tell({ tag: "opened" });
      return;
    case "append": {
      const { request } = message;
      try {
        tell({ tag: "acknowledged", request, offsets: await append(message) });
      } catch (error) {
        if (!isKarstError(error, "closed")) throw error;
        tell({ tag: "refused", request });
      }
      return;
    }
    case "read":
      for await (const record of opened().topic(message.topic).read({ from: "earliest" })) {
        const { partition, offset } = record;
        tell({ tag: "record", partition, offset, key: textOf(record.key), value: record.text() });
      }
      tell({ tag: "read-end" });
      return;
    case "close":
      await opened().close();
      tell({ tag: "closed" });
      return;
    case "command":
      process.argv = [process.execPath, message.path, ...message.args];
      await import(pathToFileURL(message.path).href);
      return;
    case "end":
      process.disconnect();
      return;
  }
}

async function append(message: AppendMessage): Promise<readonly number[]> {
  const { partition, compression, ifOffset } = message;
  const topic = opened().topic(message.topic, { partitions: 2, compression });
  const records = message.rows.map(({ id, value }) => ({ key: String(id), value }));
  if (ifOffset === undefined) {
    const results = await Promise.all(records.map((record) => topic.append(record, { partition })));
    return results.map(({ offset }) => offset);
  }
  try {
    await topic.append(records, { partition, ifOffset });
  } catch (error) {
    if (!hasCode(error, "OFFSET_CONDITION_FAILED")) throw error;
    await checkAppended(topic, message, ifOffset);
  }
  return records.map((_, index) => ifOffset + index);
}

/** It was appended in a life that ended before it could say so. @throws Error where something else is there. */
async function checkAppended(
  topic: Topic,
  { partition, rows }: AppendMessage,
  from: number,
): Promise<void> {
  const keys: string[] = [];
  for await (const record of topic.read({ from: { partition, offset: from } })) {
    keys.push(textOf(record.key));
  }
  if (keys.join() !== rows.map(({ id }) => String(id)).join())
    throw new Error(`${topic.name}/${partition}@${from} is neither free nor what was appended`);
}

function textOf(key: Uint8Array | null): string {
  return new TextDecoder().decode(key ?? new Uint8Array());
}

function opened(): Engine {
  if (engine === undefined) throw new Error("the engine is not open");
  return engine;
}

process.on("message", (message) => {
  handle(message as ParentMessage).catch((error: unknown) => {
    process.stderr.write(
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  });
});
