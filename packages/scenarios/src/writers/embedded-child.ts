/*
 * The process that is killed when the embedded API is under test: opens an engine and appends what its parent sends. It keeps no
 * record of what was acknowledged; the parent does.
 */
import { type Engine, open } from "karst";
import type { Row } from "../dataset.ts";

export type ParentMessage =
  | {
      readonly tag: "open";
      readonly root: string;
      readonly limits: Readonly<Record<string, number>>;
    }
  | {
      readonly tag: "append";
      readonly request: number;
      readonly topic: string;
      readonly partition: number;
      readonly rows: readonly Row[];
    }
  | { readonly tag: "read"; readonly topic: string }
  | { readonly tag: "close" };

export type ChildMessage =
  | { readonly tag: "opened" }
  | { readonly tag: "acknowledged"; readonly request: number; readonly offsets: readonly number[] }
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
      engine = await open({ root: message.root, limits: message.limits });
      tell({ tag: "opened" });
      return;
    case "append": {
      const topic = opened().topic(message.topic, { partitions: 2 });
      const { partition } = message;
      const results = await Promise.all(
        message.rows.map((row) =>
          topic.append({ key: String(row.id), value: row.value }, { partition }),
        ),
      );
      tell({
        tag: "acknowledged",
        request: message.request,
        offsets: results.map((result) => result.offset),
      });
      return;
    }
    case "read":
      for await (const record of opened().topic(message.topic).read({ from: "earliest" })) {
        const key = new TextDecoder().decode(record.key ?? new Uint8Array());
        tell({
          tag: "record",
          partition: record.partition,
          offset: record.offset,
          key,
          value: record.text(),
        });
      }
      tell({ tag: "read-end" });
      return;
    case "close":
      await opened().close();
      tell({ tag: "closed" });
      process.disconnect();
      return;
  }
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
