import { hasCode } from "@karst/runtime";
import assert from "node:assert/strict";
import { test } from "vitest";
import { HandleGate } from "../src/handle-gate.ts";

test("closing waits for what is in flight, starts nothing new, and happens once", async () => {
  const gate = new HandleGate("/a");
  const events: string[] = [];
  const finish: (() => void)[] = [];
  const operate = (name: string): Promise<void> =>
    gate.run(async () => {
      await new Promise<void>((resolve) => finish.push(resolve));
      events.push(name);
    });
  const release = (): Promise<void> => {
    events.push("released");
    return Promise.resolve();
  };
  const operations = [operate("first"), operate("second")];
  const closed = [gate.close(release), gate.close(release)];
  await assert.rejects(operate("late"), (error) => hasCode(error, "IO_ERROR"));
  finish[0]?.();
  await operations[0];
  assert.deepEqual(events, ["first"]);
  finish[1]?.();
  await Promise.all([...operations, ...closed]);
  assert.deepEqual(events, ["first", "second", "released"]);
});

test("a failed operation does not hold up the close, and a failed close fails for all who asked", async () => {
  const gate = new HandleGate("/a");
  const failure = new Error("close failed");
  await assert.rejects(
    gate.run(() => Promise.reject(new Error("operation failed"))),
    /operation failed/,
  );
  const closes = [gate.close(() => Promise.reject(failure)), gate.close(() => Promise.resolve())];
  for (const close of closes) await assert.rejects(close, failure);
});
