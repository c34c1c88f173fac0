import assert from "node:assert/strict";
import type { WalLimits } from "../limits.ts";
import type { WalCapabilities, WalPlace } from "./harness.ts";
import { assertCode, assertEnded, frame, ROOT, Session } from "./session.ts";

type Case = (
  name: string,
  body: (place: WalPlace) => Promise<void>,
  limits?: Partial<WalLimits>,
) => void;

/** What a WAL does when processes, power, disks and space fail: as far as the driver's places can be made to. */
export function faultTests(check: Case, can: WalCapabilities): void {
  const { crash, kill, rival, neighbour, failNextSync, setFull, writes, storedBytes } = can;

  for (const [word, end] of [
    ["kill", kill],
    ["crash", crash],
  ] as const) {
    if (end === undefined) continue;

    check(
      `after a ${word} a prefix is there, with everything that was reported durable`,
      async (place) => {
        let session = await Session.open(place.start());
        for (let round = 0; round < 6; round += 1) {
          for (let n = 0; n < 25; n += 1) session.append(frame(round * 100 + n));
          if (round % 3 !== 0) await session.wal.flush();
          for (let n = 25; n < 35; n += 1) session.append(frame(round * 100 + n));
          const later = await Session.open(end(place));
          session.assertSurvived(later);
          session = later;
        }
        await session.close();
      },
    );

    check(`after a ${word} what an opening accepted stays accepted`, async (place) => {
      const session = await Session.open(place.start());
      for (let n = 0; n < 12; n += 1) session.append(frame(n));
      await session.wal.flush();
      session.append(frame(12));
      const second = await Session.open(end(place));
      session.assertSurvived(second);
      const third = await Session.open(end(place));
      assert.deepEqual(
        third.recovered.map((kept) => kept.frame),
        second.recovered.map((kept) => kept.frame),
      );
      await third.close();
    });
  }

  if (rival !== undefined) {
    check(
      "a later claim fences: nothing is reported durable that it did not recover",
      async (place) => {
        const old = await Session.open(place.start());
        old.append(frame(1));
        await old.wal.flush();
        old.append(frame(2));
        const claim = await rival(place).factory.claim({ rootId: ROOT });
        const later = await Session.recover(rival(place), claim);
        const survived = later.recovered.map(({ frame: one }) => one);
        const refused = await old.wal.flush().then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refused === undefined)
          assert.equal(survived.length, 2, "a reported frame was not recovered");
        try {
          old.append(frame(3));
          await assertCode("WAL_FENCED", () => old.wal.flush());
        } catch {
          // Refused at once: it had noticed already.
        }
        await assertEnded(old.wal, "WAL_FENCED");
        assert.equal(old.failures.length, 1);
        old.assertSurvived(later);
        later.append(frame(4));
        await later.close();
        old.releaseAll();
      },
    );
  }

  if (neighbour !== undefined) {
    check(
      "a WAL that a live process holds is refused with a sentence, until it is given back",
      async (place) => {
        const session = await Session.open(place.start());
        const other = neighbour(place);
        await assertCode("WAL_IN_USE", () => other.factory.claim({ rootId: ROOT }));
        session.append(frame(1));
        await session.close();
        const later = await Session.open(other);
        session.assertSurvived(later);
        await later.close();
      },
    );
  }

  if (failNextSync !== undefined) {
    check(
      "a failed sync ends the instance; the next opening decides what survived",
      async (place) => {
        const process = place.start();
        const session = await Session.open(process);
        for (let n = 0; n < 10; n += 1) session.append(frame(n));
        await session.wal.flush();
        const reported = session.durable.length;
        failNextSync(place);
        for (let n = 10; n < 20; n += 1) session.append(frame(n));
        await assertCode("WAL_FAILED", () => session.wal.flush());
        await assertEnded(session.wal, "WAL_FAILED");
        assert.equal(session.failures.length, 1);
        assert.equal(
          session.durable.length,
          reported,
          "nothing is reported durable after a failure",
        );
        session.releaseAll();
        assert.equal(process.heldBytes(), 0);
        const later = await Session.open(process);
        session.assertSurvived(later);
        later.append(frame(30));
        await later.close();
      },
    );
  }

  if (setFull !== undefined) {
    check(
      "on a full disk appends are refused before anything is taken, and go on when there is space",
      async (place) => {
        const process = place.start();
        const session = await Session.open(process);
        session.append(frame(0));
        await session.wal.flush();
        setFull(place, true);
        let refused = false;
        for (let n = 1; n < 2000 && !refused; n += 1) {
          const end = session.wal.endPosition;
          try {
            session.append(frame(n));
          } catch (error) {
            await assertCode("WAL_FULL", () => Promise.reject(error));
            assert.equal(session.wal.endPosition, end);
            refused = true;
          }
          // Nothing hangs while there is prewritten space.
          if (n % 5 === 0) await place.advance(1);
        }
        assert.ok(refused, "a full disk is noticed");
        assert.deepEqual(session.failures, []);
        await assertCode("WAL_FULL", () => session.wal.append(frame(1)));
        for (const kept of session.appended.slice(0, 3))
          assert.deepEqual(await session.wal.read(kept.start), kept.frame);
        setFull(place, false);
        const before = session.appended.length;
        await appendAsSoonAsPossible(place, session);
        await session.wal.flush();
        assert.equal(session.appended.length, before + 1);
        await session.close();
        const later = await Session.open(process);
        assert.equal(later.recovered.length, session.appended.length);
        session.assertSurvived(later);
        await later.close();
      },
    );
  }

  if (writes !== undefined) {
    check(
      "after a quiet time one watermark is written, and then nothing",
      async (place) => {
        const session = await Session.open(place.start());
        await quiet(place, writes);
        const opened = writes(place);
        await place.advance(300_000);
        assert.equal(writes(place), opened, "an idle WAL writes nothing");
        session.append(frame(1));
        await session.wal.flush();
        // The next segment is prepared meanwhile.
        await quiet(place, writes);
        const before = writes(place);
        await place.advance(1_000);
        await quiet(place, writes);
        assert.equal(writes(place), before + 1, "one watermark");
        await place.advance(300_000);
        await quiet(place, writes);
        assert.equal(writes(place), before + 1, "and nothing more");
        await session.close();
        assert.equal(writes(place), before + 1, "closing has nothing to add");
      },
      { watermarkDelayMs: 20 },
    );
  }

  if (storedBytes !== undefined) {
    check("trimmed segments are removed, but for a few to be used again", async (place) => {
      const session = await Session.open(place.start());
      for (let n = 0; n < 400; n += 1) {
        session.append(frame(n, 200));
        if (n % 20 === 0) await session.wal.flush();
      }
      await session.wal.flush();
      const full = storedBytes(place);
      await session.wal.trim(session.wal.durablePosition);
      assert.ok(storedBytes(place) < full / 3, `${storedBytes(place)} of ${full} bytes are left`);
      const kept = session.append(frame(500));
      assert.deepEqual(await session.wal.read(kept.start), kept.frame);
      await session.close();
    });
  }
}

const TURNS_MAX = 2_000;

/** Waits until nothing has been written for a while; no timer falls due meanwhile. */
async function quiet(place: WalPlace, writes: (place: WalPlace) => number): Promise<void> {
  let before = -1;
  for (let same = 0, turns = 0; same < 50 && turns < TURNS_MAX; turns += 1) {
    await place.advance(0);
    same = writes(place) === before ? same + 1 : 0;
    before = writes(place);
  }
}

async function appendAsSoonAsPossible(place: WalPlace, session: Session): Promise<void> {
  for (let turns = 0; turns < TURNS_MAX; turns += 1) {
    try {
      session.append(frame(5000));
      return;
    } catch {
      await place.advance(10);
    }
  }
  assert.fail("appends are refused although there is space");
}
