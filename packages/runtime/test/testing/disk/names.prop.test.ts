import { SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";

const numRuns = Number(process.env["KARST_RUNS"] ?? 150);
const CRASHES = 8;

const PATHS = ["/d/a", "/d/b", "/d/c", "/e/a", "/e/b"] as const;
const path = fc.constantFrom(...PATHS);

type NameStep =
  | { readonly tag: "create"; readonly path: string }
  | { readonly tag: "remove"; readonly path: string }
  | { readonly tag: "rename"; readonly path: string; readonly to: string }
  | { readonly tag: "link"; readonly path: string; readonly to: string }
  | { readonly tag: "sync"; readonly directory: string };

const nameStep: fc.Arbitrary<NameStep> = fc.oneof(
  fc.record({ tag: fc.constant("create" as const), path }),
  fc.record({ tag: fc.constant("remove" as const), path }),
  fc.record({ tag: fc.constant("rename" as const), path, to: path }),
  fc.record({ tag: fc.constant("link" as const), path, to: path }),
  fc.record({ tag: fc.constant("sync" as const), directory: fc.constantFrom("/d", "/e") }),
);

test("names: each is after a crash what it was at the last sync of all, or became since; synced ones are as they were", async () => {
  const property = fc.asyncProperty(
    fc.array(nameStep, { maxLength: 25 }),
    fc.nat(),
    async (steps, seed) => {
      const disk = new SimulatedDisk({ random: new SeededRandom(seed) });
      const { files } = disk;
      for (const directory of ["/d", "/e"]) await files.makeDirectory(directory);
      await files.syncDirectory("/");
      let created = 0;
      const look = (on: SimulatedDisk, name: string): number => on.snapshot().get(name)?.[0] ?? 0;
      const since = new Map<string, Set<number>>(PATHS.map((name) => [name, new Set([0])]));
      const unsynced = new Set<string>();
      for (const step of steps) {
        if (step.tag === "sync") {
          await files.syncDirectory(step.directory);
          unsynced.delete(step.directory);
          if (unsynced.size === 0)
            for (const name of PATHS) since.set(name, new Set([look(disk, name)]));
          continue;
        }
        unsynced.add(step.path.slice(0, 2));
        if (step.tag === "create") {
          const file = await files.open(step.path, "create").catch(() => undefined);
          created += 1;
          await file?.write(Uint8Array.of(created), 0);
          await file?.datasync();
        } else if (step.tag === "remove") await files.remove(step.path).catch(() => undefined);
        else {
          unsynced.add(step.to.slice(0, 2));
          await files[step.tag](step.path, step.to).catch(() => undefined);
        }
        for (const name of PATHS) since.get(name)?.add(look(disk, name));
      }
      for (let crash = 0; crash < CRASHES; crash += 1) {
        const crashed = disk.clone(new SeededRandom(`${seed} ${crash}`));
        crashed.crash(crash === 0 ? { keep: "synced" } : {});
        for (const name of PATHS) {
          const found = look(crashed, name);
          assert.ok(since.get(name)?.has(found) === true, `${name}: ${found}`);
          if (disk.isNameDurable(name)) assert.equal(found, look(disk, name), name);
        }
        if (unsynced.size === 0) assert.deepEqual(crashed.snapshot(), disk.snapshot());
      }
      await files.syncDirectory("/d");
      await files.syncDirectory("/e");
      assert.equal(disk.pendingNames, 0);
      const before = disk.snapshot();
      disk.crash();
      assert.deepEqual(disk.snapshot(), before);
    },
  );
  await fc.assert(property, { numRuns });
});
