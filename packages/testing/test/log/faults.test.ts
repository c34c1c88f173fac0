// One fault at a time, from beginning to end; the model test mixes them.
import assert from "node:assert/strict";
import { isKarstError } from "@karst/runtime";
import { test } from "vitest";
import { finish } from "../../src/log/finish.ts";
import { TINY } from "../../src/log/limits.ts";
import type { Process } from "../../src/log/process.ts";
import type { Sent } from "../../src/log/producer-model.ts";
import { Run } from "../../src/log/run.ts";
import * as steps from "../../src/log/steps.ts";
import type { WorldOptions } from "@karst/testing";

async function begun(options: Partial<WorldOptions> = {}): Promise<{ run: Run; process: Process }> {
  const run = new Run({ seed: 1, store: "memory", tempo: "instant", ...options });
  await run.begin();
  return { run, process: await run.live() };
}

function put(run: Run, process: Process, index = 1, bytes = 300): Sent | undefined {
  const id = `n${run.nextSerial()}`;
  return run.append(process, index, { id, count: 1, bytes, gap: 0, timestampMs: 0 });
}

async function acknowledged(run: Run, process: Process, index = 1): Promise<boolean> {
  const sent = put(run, process, index);
  if (sent === undefined) return false;
  return (await run.world.until(process.life, sent.taken.durable)).tag === "ok";
}

for (const effect of ["lost-sync", "EIO"] as const) {
  test(`a WAL whose sync fails (${effect}) ends its engine; the next one has all that was acknowledged`, async () => {
    const { run, process } = await begun();
    for (let i = 0; i < 20; i += 1) assert.ok(await acknowledged(run, process, i % 3));
    await steps.failSync(effect, 0)(run);
    const pending = Array.from({ length: 12 }, (_, i) => put(run, process, i % 3));
    for (const sent of pending) {
      assert.ok(sent !== undefined);
      const outcome = await run.world.until(process.life, sent.taken.durable);
      assert.ok(outcome.tag === "failed" && isKarstError(outcome.error, "indeterminate"));
    }
    assert.equal(process.pending, 0);
    assert.ok(isKarstError(await run.world.clock.runUntil(process.engine.failed), "closed"));
    assert.equal(put(run, process), undefined, "a failed engine takes an append");
    // What was durable before is still read, and nothing else.
    for (const index of [0, 1, 2]) await steps.read(index, 0, 5000)(run);
    run.check();
    const next = await run.live();
    assert.notEqual(next, process);
    await finish(run);
  });
}

for (const store of ["memory", "file"] as const) {
  test(`on a full disk appends are refused, reads go on, and both recover by themselves (${store})`, async () => {
    const { run, process } = await begun({ store });
    for (let i = 0; i < 10; i += 1) assert.ok(await acknowledged(run, process, i % 3));
    await steps.fill(true)(run);
    // Else what is uploaded makes room for more.
    await steps.outage(true)(run);
    let taken = 0;
    while (await acknowledged(run, process)) {
      taken += 1;
      assert.ok(taken < 1000, "a full disk takes everything");
    }
    assert.equal(run.world.sometimes.of("disk-full-refused"), 1);
    for (const index of [0, 1, 2]) await steps.read(index, 0, 5000)(run);
    run.check();
    await steps.fill(false)(run);
    await steps.outage(false)(run);
    await run.world.clock.advance(20_000);
    assert.ok(await acknowledged(run, process), "there is space, and appends are refused");
    assert.equal(process.failure, undefined);
    await finish(run);
  });

  test(`while the store is down appends go on to the limit, are then refused, and recover by themselves (${store})`, async () => {
    const { run, process } = await begun({ store });
    for (let i = 0; i < 10; i += 1) assert.ok(await acknowledged(run, process, i % 3));
    await steps.outage(true)(run);
    let bytes = 0;
    while (await acknowledged(run, process)) bytes += 300;
    assert.equal(run.world.sometimes.of("backlog-refused"), 1);
    const limit = TINY.limits.unuploadedBytesMax ?? 0;
    assert.ok(bytes > limit / 3 && bytes < limit, `${bytes} bytes were taken`);
    const held = process.memory.reservedBytes;
    for (let i = 0; i < 100; i += 1) assert.equal(put(run, process), undefined);
    assert.equal(process.memory.reservedBytes, held, "a refused append is kept");
    await run.world.clock.advance(600_000);
    assert.equal(put(run, process), undefined);
    await steps.outage(false)(run);
    await run.world.clock.advance(20_000);
    assert.ok(await acknowledged(run, process), "the store is back, and appends are refused");
    assert.equal(process.failure, undefined);
    await finish(run);
  });
}

test("an older process goes on beside its successor, and acknowledges nothing that the other does not have", async () => {
  for (let seed = 0; seed < 10; seed += 1) {
    const { run } = await begun({ seed, tempo: "slow", store: seed % 2 === 0 ? "memory" : "file" });
    for (const bytes of [100, 900]) await steps.zombie(seed % 3, 6, bytes, true)(run);
    for (const what of ["upload", "trim", "read", "append"] as const)
      await steps.haunt(1, what, 0.5)(run);
    run.check();
    assert.ok(run.ghosts.length > 0);
    assert.ok(
      run.world.sometimes.of("zombie-fenced") + run.world.sometimes.of("zombie-refused") > 0,
    );
    await finish(run);
  }
});

test("two processes open at once: one has the logs in the end", async () => {
  for (let seed = 0; seed < 10; seed += 1) {
    const { run } = await begun({
      seed,
      tempo: seed < 5 ? "slow" : "instant",
      store: seed % 2 === 0 ? "memory" : "file",
    });
    for (const step of [
      steps.crash("power"),
      steps.race,
      steps.append(1, 0, { times: 3, count: 1, bytes: 300, wait: "turn" }),
    ])
      await step(run);
    for (const step of [steps.race, steps.close, steps.race]) await step(run);
    run.check();
    await finish(run);
  }
});
