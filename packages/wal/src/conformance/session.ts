import assert from "node:assert/strict";
import { hasCode, type Slab } from "@karst/runtime";
import {
  type AppendedFrame,
  type Frame,
  type Wal,
  type WalClaim,
  type WalPosition,
  WAL_START,
} from "../wal.ts";
import type { WalProcess } from "./harness.ts";

export const ROOT = "00000000000000000000000000000001";

/** A frame as plain data, and where it is. */
export interface Kept {
  readonly frame: Frame;
  readonly start: WalPosition;
  readonly end: WalPosition;
}

/** One opening of a WAL, with everything it was told. */
export class Session {
  readonly process: WalProcess;
  readonly claim: WalClaim;
  readonly wal: Wal;
  readonly recovered: readonly Kept[];
  /** Everything appended, in order. */
  readonly appended: Kept[] = [];
  readonly durable: WalPosition[];
  readonly failures: Error[];
  readonly #held: Slab[] = [];

  private constructor(process: WalProcess, claim: WalClaim, wal: Wal, told: Told) {
    this.process = process;
    this.claim = claim;
    this.wal = wal;
    this.recovered = told.recovered;
    this.durable = told.durable;
    this.failures = told.failures;
  }

  static async open(process: WalProcess, trim: WalPosition = WAL_START): Promise<Session> {
    const claim = await process.factory.claim({ rootId: ROOT });
    return Session.recover(process, claim, trim);
  }

  static async recover(
    process: WalProcess,
    claim: WalClaim,
    trim: WalPosition = WAL_START,
  ): Promise<Session> {
    const told: Told = { recovered: [], durable: [], failures: [] };
    const wal = await claim.recover({
      trim,
      onFrame: (frame) => {
        told.recovered.push(keep(frame, frame));
        frame.slab.release();
      },
      listener: {
        durable: (position) => void told.durable.push(position),
        failed: (error) => void told.failures.push(error),
      },
    });
    return new Session(process, claim, wal, told);
  }

  append(frame: Frame): Kept {
    const appended: AppendedFrame = this.wal.append(frame);
    assert.deepEqual(copy(appended.payload), copy(frame.payload));
    this.#held.push(appended.slab);
    const kept = keep(frame, appended);
    this.appended.push(kept);
    return kept;
  }

  /** Gives back the references of everything appended. */
  releaseAll(): void {
    for (const slab of this.#held.splice(0)) slab.release();
  }

  /** Closes, and checks that all memory has come back. */
  async close(): Promise<void> {
    await this.wal.close();
    this.releaseAll();
    assert.equal(this.process.heldBytes(), 0, "all slabs have been given back");
  }

  /** Everything that was reported durable is there, and nothing but a prefix of what was appended after `before`. */
  assertSurvived(later: Session, before: readonly Kept[] = this.recovered): void {
    const all = [...before, ...this.appended].map(({ frame }) => frame);
    const survived = later.recovered.map(({ frame }) => frame);
    assert.deepEqual(
      survived,
      all.slice(0, survived.length),
      "what survives is a prefix of what was appended",
    );
    const reported = this.durable.at(-1) ?? WAL_START;
    const acknowledged = before.length + this.appended.filter(({ end }) => end <= reported).length;
    assert.ok(
      survived.length >= acknowledged,
      `${acknowledged} frames were reported durable, ${survived.length} survived`,
    );
  }
}

interface Told {
  readonly recovered: Kept[];
  readonly durable: WalPosition[];
  readonly failures: Error[];
}

function keep(
  frame: Frame,
  place: { readonly start: WalPosition; readonly end: WalPosition },
): Kept {
  return { frame: plain(frame), start: place.start, end: place.end };
}

/** A frame alone, its payload copied. */
export function plain({
  streamId,
  streamEpoch,
  baseOffset,
  count,
  maxTimestampMs,
  payload,
}: Frame): Frame {
  return { streamId, streamEpoch, baseOffset, count, maxTimestampMs, payload: copy(payload) };
}

export function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** The n-th frame of a test: every field differs from frame to frame. */
export function frame(n: number, bytes: number = 10 + (n % 50)): Frame {
  const payload = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1) payload[i] = (n * 31 + i * 7) & 0xff;
  return {
    streamId: n % 7,
    streamEpoch: n % 3,
    baseOffset: n * 10,
    count: (n % 10) + 1,
    maxTimestampMs: n - 1,
    payload,
  };
}

export async function assertCode(code: string, body: () => unknown): Promise<void> {
  await assert.rejects(
    async () => {
      await body();
    },
    (error) => hasCode(error, code),
    `expected ${code}`,
  );
}

/** Every method of an ended instance says the same. */
export async function assertEnded(wal: Wal, code: string): Promise<void> {
  await assertCode(code, () => wal.append(frame(1)));
  await assertCode(code, () => wal.flush());
  await assertCode(code, () => wal.read(WAL_START));
  await assertCode(code, () => wal.trim(WAL_START));
  await assertCode(code, () => wal.destroy());
  await wal.abandon();
  await wal.close();
}
