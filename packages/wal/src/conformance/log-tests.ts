import assert from "node:assert/strict";
import type { WalLimits } from "../limits.ts";
import { type Frame, type WalPosition, WAL_START } from "../wal.ts";
import type { WalPlace } from "./harness.ts";
import { assertCode, frame, plain, ROOT, Session } from "./session.ts";

type Case = (
  name: string,
  body: (place: WalPlace) => Promise<void>,
  limits?: Partial<WalLimits>,
) => void;

/** What every WAL does, whatever it stands on. */
export function logTests(check: Case): void {
  check("the first claim makes the WAL, later ones find it", async (place) => {
    const process = place.start();
    const first = await Session.open(process);
    assert.equal(first.claim.fresh, true);
    assert.equal(first.claim.epoch, 1);
    assert.match(first.claim.walId, /^[0-9a-f]{32}$/);
    assert.match(first.claim.nodeId, /^[0-9a-f]{32}$/);
    assert.equal(first.claim.kind, process.factory.kind);
    assert.equal(first.wal.kind, process.factory.kind);
    assert.equal(first.wal.walId, first.claim.walId);
    assert.deepEqual(first.recovered, []);
    await first.close();
    const second = await Session.open(process);
    assert.equal(second.claim.fresh, false);
    assert.equal(second.claim.walId, first.claim.walId);
    assert.equal(second.claim.nodeId, first.claim.nodeId);
    assert.ok(second.claim.epoch > first.claim.epoch);
    await second.close();
  });

  check("appends get ascending positions and become durable in order", async (place) => {
    const session = await Session.open(place.start());
    const { wal } = session;
    let last: WalPosition = wal.endPosition;
    for (let n = 0; n < 30; n += 1) {
      const { start, end } = session.append(frame(n));
      assert.ok(start >= last && end > start, "positions ascend");
      assert.equal(wal.endPosition, end);
      last = end;
    }
    assert.deepEqual(session.durable, [], "nothing is reported from inside append");
    assert.ok(wal.pendingBytes > 0);
    assert.ok(wal.durablePosition < last);
    await wal.flush();
    assert.equal(wal.durablePosition, last);
    assert.equal(wal.pendingBytes, 0);
    assert.equal(session.durable.at(-1), last);
    assert.deepEqual(
      session.durable,
      session.durable.toSorted((a, b) => a - b),
    );
    await session.close();
  });

  check("flush without anything pending resolves", async (place) => {
    const session = await Session.open(place.start());
    await session.wal.flush();
    session.append(frame(1));
    await session.wal.flush();
    await session.wal.flush();
    await session.close();
  });

  check("what was appended is there after a clean close, over many openings", async (place) => {
    const process = place.start();
    const all: Frame[] = [];
    for (let opening = 0; opening < 4; opening += 1) {
      const session = await Session.open(process);
      assert.deepEqual(
        session.recovered.map((kept) => kept.frame),
        all,
      );
      for (let n = 0; n < 40; n += 1) all.push(session.append(frame(opening * 100 + n)).frame);
      await session.close();
    }
  });

  check("positions of an opening lie above those of the one before it", async (place) => {
    const process = place.start();
    const first = await Session.open(process);
    for (let n = 0; n < 10; n += 1) first.append(frame(n));
    await first.close();
    const second = await Session.open(process);
    const ends = second.recovered.map(({ end }) => end);
    assert.deepEqual(
      ends,
      ends.toSorted((a, b) => a - b),
    );
    const { start } = second.append(frame(11));
    assert.ok(start >= (ends.at(-1) ?? WAL_START));
    await second.close();
  });

  check("closing settles every append", async (place) => {
    const session = await Session.open(place.start());
    for (let n = 0; n < 25; n += 1) session.append(frame(n));
    const flushed = session.wal.flush();
    await session.wal.close();
    await flushed;
    assert.equal(session.durable.at(-1), session.wal.endPosition);
    session.releaseAll();
  });

  check("the caller's buffer may change after append", async (place) => {
    const process = place.start();
    const session = await Session.open(process);
    const changing = frame(1, 100);
    const before = plain(changing);
    session.append(changing);
    changing.payload.fill(0xee);
    await session.wal.flush();
    assert.deepEqual(await session.wal.read(session.appended[0]?.start as WalPosition), before);
    await session.close();
    const later = await Session.open(process);
    assert.deepEqual(
      later.recovered.map((kept) => kept.frame),
      [before],
    );
    await later.close();
  });

  check("frames of every size go through, also above group, segment and slab", async (place) => {
    const process = place.start();
    const session = await Session.open(process);
    const sizes = [
      0, 1, 43, 900, 1024, 2000, 3900, 4056, 4096, 9000, 0, 70_000, 5, 4000, 4000, 300_000, 2,
    ];
    for (const [n, bytes] of sizes.entries()) session.append(frame(n, bytes));
    await session.wal.flush();
    for (const kept of session.appended)
      assert.deepEqual(await session.wal.read(kept.start), kept.frame);
    await session.close();
    const later = await Session.open(process);
    assert.deepEqual(
      later.recovered.map(({ frame: one }) => one.payload.length),
      sizes,
    );
    session.assertSurvived(later);
    await later.close();
  });

  check(
    "read gives one frame back, also of earlier openings and before it is durable",
    async (place) => {
      const process = place.start();
      const first = await Session.open(process);
      for (let n = 0; n < 60; n += 1) first.append(frame(n));
      for (const kept of first.appended)
        assert.deepEqual(await first.wal.read(kept.start), kept.frame);
      await first.close();
      const second = await Session.open(process);
      const fresh = second.append(frame(99));
      for (const kept of [...second.recovered, fresh])
        assert.deepEqual(await second.wal.read(kept.start), kept.frame);
      await assertCode("WAL_POSITION_UNKNOWN", () =>
        second.wal.read((second.wal.endPosition + 1000) as WalPosition),
      );
      await second.close();
    },
  );

  check(
    "a frame that is too large, or no frame, is refused and nothing is taken",
    async (place) => {
      const session = await Session.open(place.start());
      const { wal } = session;
      const end = wal.endPosition;
      await assertCode("FRAME_TOO_LARGE", () => wal.append(frame(1, 501)));
      for (const wrong of [
        { streamId: -1 },
        { streamEpoch: 0.5 },
        { baseOffset: 2 ** 60 },
        { count: -1 },
        { maxTimestampMs: Number.NaN },
      ]) {
        assert.throws(() => wal.append({ ...frame(1), ...wrong }), TypeError);
      }
      assert.equal(wal.endPosition, end);
      assert.equal(wal.pendingBytes, 0);
      session.append(frame(1, 500));
      session.append({
        ...frame(2),
        maxTimestampMs: -1,
        baseOffset: Number.MAX_SAFE_INTEGER,
        count: 0xffff_ffff,
      });
      await session.close();
    },
    { frameBytesMax: 500 },
  );

  check(
    "beyond the limit of pending bytes appends are refused, until some are durable",
    async (place) => {
      const session = await Session.open(place.start());
      const { wal } = session;
      session.append(frame(0, 3000));
      session.append(frame(1, 500));
      await assertCode("WAL_BACKLOG_FULL", () => wal.append(frame(2, 1000)));
      await wal.flush();
      session.append(frame(2, 1000));
      await wal.flush();
      assert.equal(session.appended.length, 3);
      await session.close();
    },
    { pendingBytesMax: 4000 },
  );

  check("what was trimmed is not there any more; the rest is", async (place) => {
    const process = place.start();
    const session = await Session.open(process);
    for (let n = 0; n < 200; n += 1) session.append(frame(n));
    await session.wal.flush();
    const cut = session.appended[120]?.end as WalPosition;
    await assert.rejects(session.wal.trim((session.wal.endPosition + 1) as WalPosition), TypeError);
    await session.wal.trim(cut);
    await session.wal.trim(session.appended[50]?.end as WalPosition);
    await assertCode("WAL_POSITION_UNKNOWN", () =>
      session.wal.read(session.appended[3]?.start as WalPosition),
    );
    const kept = session.appended.slice(121);
    for (const { start, frame: expected } of kept)
      assert.deepEqual(await session.wal.read(start), expected);
    await session.close();
    const later = await Session.open(process, cut);
    assert.deepEqual(
      later.recovered.map((one) => one.frame),
      kept.map((one) => one.frame),
    );
    await later.wal.trim(later.wal.durablePosition);
    const end = later.wal.durablePosition;
    await later.close();
    const last = await Session.open(process, end);
    assert.deepEqual(last.recovered, []);
    await last.close();
  });

  check("a trim inside a group leaves the rest of the group", async (place) => {
    const process = place.start();
    const session = await Session.open(process);
    for (let n = 0; n < 8; n += 1) session.append(frame(n, 20));
    await session.wal.flush();
    const cut = session.appended[3]?.end as WalPosition;
    await session.wal.trim(cut);
    await session.close();
    for (let opening = 0; opening < 3; opening += 1) {
      const later = await Session.open(process, cut);
      assert.deepEqual(
        later.recovered.map(({ frame: one }) => one),
        session.appended.slice(4).map(({ frame: one }) => one),
      );
      await later.close();
    }
  });

  check(
    "a trim beyond everything that is there is refused: the WAL is an old copy",
    async (place) => {
      const process = place.start();
      const session = await Session.open(process);
      session.append(frame(1));
      await session.close();
      const claim = await process.factory.claim({ rootId: ROOT });
      const beyond = (session.wal.endPosition + 1_000_000) as WalPosition;
      await assertCode("WAL_STALE", () => Session.recover(process, claim, beyond));
      await claim.release();
      const later = await Session.open(process);
      session.assertSurvived(later);
      await later.close();
    },
  );
}
