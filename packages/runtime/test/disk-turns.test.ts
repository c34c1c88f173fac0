import assert from "node:assert/strict";
import { DiskTurns } from "@karst/runtime";
import { test } from "vitest";

/** An urgent write that ends when it is told to. */
function write(turns: DiskTurns): { readonly done: Promise<void>; end(): void; fail(): void } {
  let end!: () => void;
  let fail!: (reason: Error) => void;
  const writing = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  const done = turns.urgent(() => writing);
  return { done, end, fail: () => fail(new Error("failed")) };
}

test("who can wait goes at once where nothing is urgent, else after the last urgent write, also a failed one", async () => {
  const turns = new DiskTurns();
  await turns.turn();
  const [first, second] = [write(turns), write(turns)];
  const seen: string[] = [];
  const waiting = turns.turn().then(() => seen.push("turn"));
  first.end();
  await first.done;
  await Promise.resolve();
  assert.deepEqual(seen, []);
  second.fail();
  await assert.rejects(second.done, /failed/);
  await waiting;
  await turns.turn();
});

test("urgent writes that follow each other leave a turn between two", async () => {
  const turns = new DiskTurns();
  let writing = write(turns);
  for (let round = 0; round < 10; round += 1) {
    const waiting = turns.turn();
    writing.end();
    await writing.done;
    writing = write(turns);
    await waiting;
  }
});
