import { createHash } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import type { Row } from "./dataset.ts";

/** One acknowledged row: what the log has promised to keep. */
export interface JournalEntry {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: number;
  readonly hash: string;
}

export function hashOf(value: string): string {
  return createHash("sha256").update(value).digest("base64url").slice(0, 22);
}

/** The writing side's own record of what was acknowledged, in a file outside every process that is killed. */
export class Journal {
  readonly path: string;
  readonly #onGrowth: (count: number) => void;
  #count = 0;

  constructor(path: string, onGrowth: (count: number) => void = () => undefined) {
    this.path = path;
    this.#onGrowth = onGrowth;
  }

  get count(): number {
    return this.#count;
  }

  /** Written when this returns: the caller sends more only then. */
  append(
    topic: string,
    partition: number,
    acknowledged: readonly { readonly row: Row; readonly offset: number }[],
  ): void {
    const lines = acknowledged.map(({ row, offset }) =>
      JSON.stringify({
        topic,
        partition,
        offset,
        id: row.id,
        hash: hashOf(row.value),
      } satisfies JournalEntry),
    );
    if (lines.length === 0) return;
    appendFileSync(this.path, `${lines.join("\n")}\n`);
    this.#count += lines.length;
    this.#onGrowth(this.#count);
  }

  read(): JournalEntry[] {
    return readFileSync(this.path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as JournalEntry);
  }
}
