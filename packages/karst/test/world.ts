import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, open, type OpenOptions, type TopicRecord } from "karst";
import { onTestFinished } from "vitest";

/** An engine that is closed when the test ends. */
export async function openEngine(options: Partial<OpenOptions> = {}): Promise<Engine> {
  const engine = await open({ root: "memory:", ...options } as OpenOptions);
  onTestFinished(() => engine.close());
  return engine;
}

/** A directory that is gone when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "karst-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function collect<Value, Key>(
  records: AsyncIterable<TopicRecord<Value, Key>>,
  countMax = Infinity,
): Promise<TopicRecord<Value, Key>[]> {
  const collected: TopicRecord<Value, Key>[] = [];
  if (countMax === 0) return collected;
  for await (const record of records) {
    collected.push(record);
    if (collected.length === countMax) break;
  }
  return collected;
}

export async function texts(
  records: AsyncIterable<TopicRecord>,
  countMax = Infinity,
): Promise<string[]> {
  return (await collect(records, countMax)).map((record) => record.text());
}
