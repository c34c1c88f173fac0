import assert from "node:assert/strict";
import { DEFAULT_WAL_LIMITS, type WalLimits } from "../limits.ts";
import { type ClaimFacts, type WalPosition, WAL_START } from "../wal.ts";
import type { WalPlace } from "./harness.ts";
import { assertCode, assertEnded, frame, ROOT, Session } from "./session.ts";

type Case = (
  name: string,
  body: (place: WalPlace) => Promise<void>,
  limits?: Partial<WalLimits>,
) => void;

/** How a WAL's claims and instances begin and end, whatever it stands on. */
export function lifecycleTests(check: Case): void {
  check("another root's WAL is refused, and stays as it is", async (place) => {
    const process = place.start();
    const session = await Session.open(process);
    session.append(frame(1));
    await session.close();
    await assertCode("WAL_FOREIGN", () => process.factory.claim({ rootId: "another" }));
    const later = await Session.open(process);
    session.assertSurvived(later);
    await later.close();
  });

  check("a claim recovers once, and can be given back instead", async (place) => {
    const process = place.start();
    const released = await process.factory.claim({ rootId: ROOT });
    await released.release();
    await released.release();
    await assert.rejects(Session.recover(process, released), TypeError);
    const session = await Session.open(process);
    await assert.rejects(Session.recover(process, session.claim), TypeError);
    await assert.rejects(session.claim.release(), TypeError);
    await session.close();
  });

  check("a closed WAL refuses every call, and closing again is fine", async (place) => {
    const session = await Session.open(place.start());
    session.append(frame(1));
    const closing = session.wal.close();
    await assertCode("WAL_CLOSED", () => session.wal.append(frame(2)));
    await closing;
    await assertEnded(session.wal, "WAL_CLOSED");
    assert.deepEqual(session.failures, []);
    await session.close();
  });

  check("an abandoned WAL ends at once; the next claim finds what was durable", async (place) => {
    const process = place.start();
    const session = await Session.open(process);
    for (let n = 0; n < 20; n += 1) session.append(frame(n));
    await session.wal.flush();
    for (let n = 20; n < 30; n += 1) session.append(frame(n));
    const flushed = session.wal.flush();
    const rejection = assertCode("WAL_CLOSED", () => flushed);
    await session.wal.abandon();
    await rejection;
    session.releaseAll();
    await assertEnded(session.wal, "WAL_CLOSED");
    assert.deepEqual(session.failures, []);
    const later = await Session.open(process);
    session.assertSurvived(later);
    await later.close();
  });

  check(
    "a destroyed WAL is gone: the next claim makes another, with a later epoch",
    async (place) => {
      const process = place.start();
      const session = await Session.open(process);
      for (let n = 0; n < 50; n += 1) session.append(frame(n));
      await session.wal.flush();
      await session.wal.trim(session.wal.durablePosition);
      await session.wal.destroy();
      session.releaseAll();
      await assertEnded(session.wal, "WAL_CLOSED");
      const later = await Session.open(process);
      assert.equal(later.claim.fresh, true);
      assert.notEqual(later.claim.walId, session.claim.walId);
      assert.ok(later.claim.epoch > session.claim.epoch);
      assert.deepEqual(later.recovered, []);
      later.append(frame(1));
      await later.close();
    },
  );

  check("an error of the listener ends the instance", async (place) => {
    const process = place.start();
    const claim = await process.factory.claim({ rootId: ROOT });
    const failures: Error[] = [];
    const wal = await claim.recover({
      trim: WAL_START,
      onFrame: () => undefined,
      listener: {
        durable: () => {
          throw new RangeError("a defect of the listener");
        },
        failed: (error) => void failures.push(error),
      },
    });
    wal.append(frame(1)).slab.release();
    await wal.flush();
    await place.advance(DEFAULT_WAL_LIMITS.watermarkDelayMs);
    await assertEnded(wal, "WAL_FAILED");
    assert.equal(failures.length, 1);
  });

  check("a claim that is not admitted changes nothing", async (place) => {
    const process = place.start();
    const told: ClaimFacts[] = [];
    const admit = (facts: ClaimFacts): void => {
      told.push(facts);
      throw new RangeError("not this one");
    };
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(process.factory.claim({ rootId: ROOT, admit }), RangeError);
    }
    const session = await Session.open(process);
    assert.deepEqual([session.claim.fresh, session.claim.epoch], [true, 1]);
    session.append(frame(1));
    await session.close();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(process.factory.claim({ rootId: ROOT, admit }), RangeError);
    }
    const later = await Session.open(process);
    session.assertSurvived(later);
    assert.equal(later.claim.epoch, 2);
    const { walId, nodeId, kind, location } = later.claim;
    assert.deepEqual(
      told.slice(2),
      Array(2).fill({ walId, nodeId, kind, location, epoch: 2, fresh: false }),
    );
    assert.ok(told.slice(0, 2).every(({ fresh, epoch }) => fresh && epoch === 1));
    await later.close();
  });

  check(
    "a log is continued only once its owner has accepted it, which it may only where it is whole",
    async (place) => {
      const process = place.start();
      const session = await Session.open(process);
      session.append(frame(1));
      await session.close();
      let accepted = 0;
      const recover = async (trim: WalPosition): Promise<void> => {
        const claim = await process.factory.claim({ rootId: ROOT });
        try {
          await claim.recover({
            trim,
            accept: async () => {
              accepted += 1;
              throw new RangeError("not now");
            },
            onFrame: () => assert.fail("a frame before the log was accepted"),
            listener: { durable: () => undefined, failed: (error) => assert.fail(error) },
          });
        } finally {
          await claim.release();
        }
      };
      await assertCode("WAL_STALE", () =>
        recover((session.wal.endPosition + 1_000_000) as WalPosition),
      );
      assert.equal(accepted, 0);
      await assert.rejects(recover(WAL_START), RangeError);
      assert.equal(accepted, 1);
      const later = await Session.open(process);
      session.assertSurvived(later);
      await later.close();
    },
  );
}
