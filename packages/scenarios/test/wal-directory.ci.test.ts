import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import {
  createTopics,
  readByKcat,
  type Refusal,
  refusedServe,
  type Server,
  treeOf,
  until,
} from "../dist/index.js";
import { inWorld, kcatIsMissing, rowsOf, SMALL, type World } from "./world.ts";

/** Refused, more than once: a supervisor tries again. Nothing has changed but, where it must, the fences of the WAL. */
async function assertRefused(
  args: readonly string[],
  directory: string,
  sentence: RegExp,
  leaveOut: RegExp = /$^/,
): Promise<Refusal> {
  const before = treeOf(directory, leaveOut);
  await refusedServe(args);
  const refusal = await refusedServe(args);
  assert.equal(refusal.code, 1);
  assert.match(refusal.said, sentence);
  assert.deepEqual(treeOf(directory, leaveOut), before);
  return refusal;
}

/** What claiming a WAL leaves of itself, where the log must be looked at to know that it cannot be used. */
const CLAIM = /^data\/wal\/(fence-\d+|lock)$/;

function trims(server: Server): number {
  return server.events.filter(({ name }) => name === "wal-trimmed").length;
}

/** 2,000 rows of `t`, most of them uploaded and some in the WAL alone, by a broker that was killed. */
async function killedBroker(world: World): Promise<Awaited<ReturnType<World["ledger"]>>> {
  const server = await world.serve(["--data", world.data, ...SMALL]);
  await createTopics(server.address, ["t"], 1);
  const ledger = await world.ledger(server);
  for (let id = 0; id < 2_000; id += 100) await ledger.append("t", rowsOf(id, 100));
  await until("the WAL was trimmed", () => trims(server) > 0);
  await server.kill();
  return ledger;
}

test("another root's WAL, and a directory of something else, are refused and left as they are", () =>
  inWorld(async (world) => {
    const other = join(world.directory, "other");
    const first = await world.serve();
    await createTopics(first.address, ["t"], 1);
    await (await world.ledger(first)).append("t", rowsOf(0, 10));
    await first.kill();
    await (await world.serve(["--data", other])).stop();
    const foreign = await assertRefused(
      ["--data", other, "--wal", `file:${world.wal}`],
      world.directory,
      /holds WAL \w{32} of root \w{32}, and root \w{32} was opened\. Open that root, or choose another directory for the WAL \(WAL_FOREIGN\)$/,
    );
    assert.ok(foreign.said.includes(world.wal), foreign.said);

    const photos = join(world.directory, "photos");
    mkdirSync(photos);
    writeFileSync(join(photos, "cat.jpg"), "meow");
    await assertRefused(
      ["--data", other, "--wal", `file:${photos}`],
      world.directory,
      /photos is not a WAL's directory: it holds "cat\.jpg"\. Choose an empty directory for the WAL \(WAL_FOREIGN\)$/,
    );
  }));

test.skipIf(kcatIsMissing)(
  "an empty place for a WAL that is needed is refused, until it is back, or given up",
  () =>
    inWorld(async (world) => {
      const ledger = await killedBroker(world);
      const lost = join(world.directory, "lost");
      renameSync(world.wal, lost);
      mkdirSync(world.wal);
      const { said } = await assertRefused(
        ["--data", world.data],
        world.directory,
        /node \w{32} has not been closed, and its WAL (\w{32}) may hold records that are nowhere else\. .* where no WAL is now\. Put it back there, or, if it is lost, accept the loss .*--abandon-wal \1\) \(WAL_UNAVAILABLE\)$/,
      );
      assert.ok(said.includes(`It was at ${world.wal},`), said);
      assert.deepEqual(readdirSync(world.wal), []);
      const walId = /its WAL (\w{32})/.exec(said)?.[1] ?? "";
      await assertRefused(
        ["--data", world.data, "--abandon-wal", "f".repeat(32)],
        world.directory,
        /\(WAL_UNAVAILABLE\)$/,
      );

      rmSync(world.wal, { recursive: true });
      cpSync(lost, world.wal, { recursive: true });
      const restored = await world.serve();
      ledger.assertKept("t", await readByKcat(restored.address, "t"));
      await restored.kill();

      const givenUp = join(world.directory, "given-up");
      renameSync(world.wal, givenUp);
      const bereft = await world.serve(["--data", world.data, "--abandon-wal", walId]);
      const abandoned = bereft.events.find(({ name }) => name === "wal-abandoned");
      assert.deepEqual(
        [abandoned?.fields.get("walId"), abandoned?.fields.get("reason")],
        [walId, "accepted"],
      );
      const uploaded = await readByKcat(bereft.address, "t");
      assert.ok(uploaded.length > 0 && uploaded.length < 2_000, String(uploaded.length));
      assert.deepEqual(uploaded, ledger.acknowledged.slice(0, uploaded.length));
      const successor = await world.ledger(bereft);
      await successor.append("t", rowsOf(5_000, 10));
      await bereft.kill();
      const again = await world.serve();
      const read = await readByKcat(again.address, "t");
      successor.assertKept("t", read);
      assert.deepEqual(read.slice(0, uploaded.length), uploaded);
      await again.stop();

      // What was given up stays given up: the stream has had another owner since, and offsets are given once.
      rmSync(world.wal, { recursive: true });
      renameSync(givenUp, world.wal);
      const last = await world.serve();
      assert.deepEqual(await readByKcat(last.address, "t"), read);
    }),
);

test.skipIf(kcatIsMissing)(
  "an old copy of the WAL is refused however often, and the newest is taken",
  () =>
    inWorld(async (world) => {
      const ledger = await killedBroker(world);
      const [old, newest] = [join(world.directory, "old"), join(world.directory, "newest")];
      cpSync(world.wal, old, { recursive: true });
      const second = await world.serve();
      await ledger.connect(second.address);
      await ledger.append("t", rowsOf(2_000, 10));
      await second.kill();
      renameSync(world.wal, newest);
      cpSync(old, world.wal, { recursive: true });
      await assertRefused(
        ["--data", world.data],
        world.directory,
        /opening 2 of the WAL \w{32} at .*, and the catalogue has recorded opening 2: it is an old copy\. Put the newest copy there, or, if that is lost, start with an empty directory .* \(WAL_STALE\)$/,
      );
      rmSync(world.wal, { recursive: true });
      renameSync(newest, world.wal);
      const third = await world.serve();
      ledger.assertKept("t", await readByKcat(third.address, "t"));
    }),
);

test.skipIf(kcatIsMissing)("so is a copy that was made while the WAL went on", () =>
  inWorld(async (world) => {
    const ledger = await killedBroker(world);
    const [old, newest] = [join(world.directory, "old"), join(world.directory, "newest")];
    const second = await world.serve(["--data", world.data, ...SMALL]);
    await ledger.connect(second.address);
    await ledger.append("t", rowsOf(2_000, 10));
    second.freeze();
    cpSync(world.wal, old, { recursive: true });
    const before = trims(second);
    second.thaw();
    for (let id = 2_100; id < 6_000; id += 100) await ledger.append("t", rowsOf(id, 100));
    // The catalogue knows of what the copy has not; of those told by then some may be older.
    await until("the WAL was trimmed again", () => trims(second) >= before + 4);
    await second.kill();
    renameSync(world.wal, newest);
    cpSync(old, world.wal, { recursive: true });
    await assertRefused(
      ["--data", world.data],
      world.directory,
      /holds nothing of the log from position \d+ on, which the catalogue knows it to have reached: this is an old copy of the WAL\. Put the newest copy there, or, .* \(WAL_STALE\)$/,
      CLAIM,
    );
    rmSync(world.wal, { recursive: true });
    renameSync(newest, world.wal);
    const third = await world.serve();
    ledger.assertKept("t", await readByKcat(third.address, "t"));
  }),
);
