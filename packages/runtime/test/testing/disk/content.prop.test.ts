import { SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";

const numRuns = Number(process.env["KARST_RUNS"] ?? 150);
const CRASHES = 8;
const FILE_BYTES_MAX = 2_500;

type ContentStep =
  | {
      readonly tag: "write";
      readonly position: number;
      readonly length: number;
      readonly value: number;
    }
  | { readonly tag: "sync" | "lost sync" | "failed sync" };

const contentStep: fc.Arbitrary<ContentStep> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      tag: fc.constant("write" as const),
      position: fc.nat(FILE_BYTES_MAX - 1_000),
      length: fc.integer({ min: 1, max: 1_000 }),
      value: fc.integer({ min: 1, max: 255 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ tag: fc.constant("sync" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ tag: fc.constantFrom("lost sync" as const, "failed sync" as const) }),
  },
);

/** Byte by byte, what the file holds, and every value that a crash may leave there. */
class ContentModel {
  readonly now = new Uint8Array(FILE_BYTES_MAX);
  readonly possible: Set<number>[] = Array.from({ length: FILE_BYTES_MAX }, () => new Set([0]));
  size = 0;
  syncedSize = 0;

  write(position: number, length: number, value: number): void {
    this.now.fill(value, position, position + length);
    for (let i = position; i < position + length; i += 1) this.possible[i]?.add(value);
    this.size = Math.max(this.size, position + length);
  }

  /** Whether it covers everything: nothing had been lost in an earlier sync. */
  sync(lost: boolean): void {
    this.syncedSize = this.size;
    // What was lost stays possible, for as long as nobody writes it again: the model does not tell bytes of one sector apart.
    if (lost) return;
    for (let i = 0; i < FILE_BYTES_MAX; i += 1) this.possible[i] = new Set([this.now[i] ?? 0]);
  }
}

test("content: what was synced survives every crash, and nothing appears that was never written", () => {
  const property = fc.property(
    fc.array(contentStep, { maxLength: 25 }),
    fc.nat(),
    (steps, seed) => {
      const disk = new SimulatedDisk({ random: new SeededRandom(seed), garbage: false });
      disk.install("/a", new Uint8Array(0));
      const file = disk.blocking.open("/a", "write");
      const model = new ContentModel();
      let lost = false;
      for (const step of steps) {
        if (step.tag === "write") {
          const bytes = new Uint8Array(step.length).fill(step.value);
          assert.equal(file.write(bytes, 0, step.length, step.position), step.length);
          model.write(step.position, step.length, step.value);
        } else if (step.tag === "sync") {
          file.datasync();
          model.sync(lost);
        } else {
          lost ||= step.tag === "lost sync";
          disk.fault({ on: "datasync", effect: step.tag === "lost sync" ? "lost-sync" : "EIO" });
          assert.throws(() => file.datasync());
        }
        assert.deepEqual(disk.bytesOf("/a"), model.now.slice(0, model.size));
      }
      for (let crash = 0; crash < CRASHES; crash += 1) {
        const crashed = disk.clone(new SeededRandom(`${seed} ${crash}`));
        crashed.crash(crash === 0 ? { keep: "synced" } : {});
        const content = crashed.bytesOf("/a");
        assert.ok(content.length >= model.syncedSize && content.length <= model.size);
        for (const [i, byte] of content.entries())
          assert.ok(model.possible[i]?.has(byte) === true, `byte ${i}: ${byte}`);
        for (let start = 0; start < model.size; start += 137) {
          const end = Math.min(start + 137, model.size);
          if (!disk.isDurable("/a", start, end)) continue;
          assert.deepEqual(content.subarray(start, end), model.now.subarray(start, end));
        }
        crashed.crash();
        assert.deepEqual(crashed.bytesOf("/a"), content, "a second crash changes nothing");
        crashed.blocking.open("/a", "write").write(new Uint8Array(1), 0, 1, FILE_BYTES_MAX);
        assert.ok(
          crashed
            .bytesOf("/a")
            .subarray(content.length)
            .every((byte) => byte === 0),
        );
      }
    },
  );
  fc.assert(property, { numRuns });
});

test("content: after the last sync everything is durable, and says so", () => {
  const steps = fc.array(
    contentStep.filter((step) => step.tag !== "lost sync"),
    { maxLength: 25 },
  );
  const property = fc.property(steps, fc.nat(), (plan, seed) => {
    const disk = new SimulatedDisk({ random: new SeededRandom(seed) });
    disk.install("/a", new Uint8Array(0));
    const file = disk.blocking.open("/a", "write");
    for (const step of plan) {
      if (step.tag === "write")
        file.write(new Uint8Array(step.length).fill(step.value), 0, step.length, step.position);
      else if (step.tag === "sync") file.datasync();
    }
    file.datasync();
    const content = disk.bytesOf("/a");
    assert.equal(disk.isDurable("/a", 0, content.length), true);
    disk.crash();
    assert.deepEqual(disk.bytesOf("/a"), content);
  });
  fc.assert(property, { numRuns });
});
