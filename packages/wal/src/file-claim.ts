import {
  type DirectoryEntry,
  type DiskTurns,
  hasCode,
  type KarstError,
  type Random,
  randomId,
  type Runtime,
  type SlabPool,
  utf8Decode,
  utf8Encode,
} from "@karst/runtime";
import { walError } from "./errors.ts";
import type { FileWal } from "./file-wal.ts";
import {
  decodeIdentity,
  encodeIdentity,
  type Identity,
  type IdentityState,
} from "./format/identity.ts";
import { IDENTITY_FILE, LOCK_FILE, parseName } from "./format/names.ts";
import { FENCE_ATTEMPTS_MAX, type WalLimits } from "./limits.ts";
import { recover } from "./recovery/recover.ts";
import type { SegmentDevice } from "./segment-device.ts";
import type { WalClaim, WalFactory } from "./wal.ts";

export interface FileClaimContext {
  readonly device: SegmentDevice;
  readonly runtime: Runtime;
  readonly random: Random;
  readonly slabs: SlabPool;
  readonly limits: WalLimits;
  readonly turns: DiskTurns;
}

/**
 * A claim of a file WAL: the courtesy lock, then the fence that ends every earlier claim, then the identity.
 *
 * The lock only makes for a clear sentence where two processes meet; that one of them stops writing rests on the fence. Whose WAL is
 * here is decided after the fence, and the identity is written only while there is no later fence: so it never hits a later claim's.
 */
export class FileClaim implements WalClaim {
  readonly kind = "file";
  readonly epoch: number;
  readonly fresh: boolean;
  readonly #context: FileClaimContext;
  #identity: Identity;
  #state: "claimed" | "recovering" | "recovered" | "failed" | "released" = "claimed";

  private constructor(
    context: FileClaimContext,
    identity: Identity,
    epoch: number,
    fresh: boolean,
  ) {
    this.#context = context;
    this.#identity = identity;
    this.epoch = epoch;
    this.fresh = fresh;
  }

  get walId(): string {
    return this.#identity.walId;
  }

  get nodeId(): string {
    return this.#identity.nodeId;
  }

  get location(): string {
    return this.#context.device.location;
  }

  static async take(
    context: FileClaimContext,
    { rootId, admit }: Parameters<WalFactory["claim"]>[0],
  ): Promise<FileClaim> {
    const { device } = context;
    try {
      const found = await look(device, await device.list(), rootId);
      await refuseWhileHeld(device);
      const identity = found ?? minted(context.random, rootId);
      const { walId, nodeId } = identity;
      const { location } = device;
      admit?.({
        walId,
        nodeId,
        kind: "file",
        epoch: (await greatestFence(device)) + 1,
        fresh: found === undefined,
        location,
      });
      await lock(context);
      try {
        const epoch = await fence(device);
        // Whatever an earlier claim was about to name, it now cannot.
        await removeTemporaries(device);
        const now = await look(device, await device.list(), rootId);
        if (now?.walId !== found?.walId) throw contested(device);
        if (now === undefined) await begin(device, identity, epoch);
        return new FileClaim(context, now ?? identity, epoch, now === undefined);
      } catch (error) {
        await unlock(context);
        throw error;
      }
    } catch (error) {
      await device.close();
      throw isContest(error) ? contested(device, error) : error;
    }
  }

  async recover(options: Parameters<WalClaim["recover"]>[0]): Promise<FileWal> {
    if (this.#state !== "claimed")
      throw new TypeError(`the claim is ${this.#state}: recover is called once`);
    this.#state = "recovering";
    try {
      const wal = await recover({
        ...this.#context,
        ...options,
        identity: this.#identity,
        epoch: this.epoch,
        markOpened: () => this.#write("opened"),
        removeAll: () => this.#removeAll(),
        release: () => this.#giveBack(),
      });
      this.#state = "recovered";
      return wal;
    } catch (error) {
      this.#state = "failed";
      throw isContest(error) ? contested(this.#context.device, error) : error;
    }
  }

  async checkNewest(): Promise<void> {
    const { device } = this.#context;
    if ((await greatestFence(device)) > this.epoch) throw contested(device);
  }

  async release(): Promise<void> {
    if (this.#state === "released") return;
    if (this.#state !== "claimed" && this.#state !== "failed") {
      throw new TypeError(`the claim is ${this.#state}: end the WAL instead`);
    }
    this.#state = "released";
    await this.#giveBack();
  }

  async #write(state: IdentityState): Promise<void> {
    this.#identity = { ...this.#identity, state };
    await writeIdentity(this.#context.device, this.#identity, this.epoch);
  }

  /**
   * Everything but our own fence, so that the epochs of this place go on growing: no earlier claim can ever take the fence of a
   * later WAL for its own; and the identity, which says first that the rest is not needed any more: a later claim may replace it at
   * any time.
   */
  async #removeAll(): Promise<void> {
    const { device } = this.#context;
    await this.#write("destroyed");
    await removeContent(device, this.epoch);
  }

  async #giveBack(): Promise<void> {
    await unlock(this.#context);
    try {
      await this.#context.device.close();
    } catch (error) {
      this.#context.runtime.log.warn("wal-device-not-closed", {
        location: this.location,
        reason: String(error),
      });
    }
  }
}

/** Whose WAL is here; undefined: a new one may begin. Changes nothing. */
async function look(
  device: SegmentDevice,
  entries: readonly DirectoryEntry[],
  rootId: string,
): Promise<Identity | undefined> {
  const { location } = device;
  const bytes = await device.readSmall(IDENTITY_FILE);
  if (bytes === undefined) {
    const segment = entries.find(({ name }) => parseName(name).tag === "segment");
    if (segment !== undefined) {
      throw walError(
        "WAL_CORRUPT",
        `${location} holds ${segment.name}, but no file "${IDENTITY_FILE}" that says whose WAL it is`,
      );
    }
    const foreign = entries.find(
      ({ name, kind }) => kind !== "file" || parseName(name).tag === "unknown",
    );
    if (foreign === undefined) return undefined;
    throw walError(
      "WAL_FOREIGN",
      `${location} is not a WAL's directory: it holds "${foreign.name}". Choose an empty directory for the WAL`,
    );
  }
  const identity = decodeIdentity(bytes, `${location}/${IDENTITY_FILE}`);
  if (identity.state === "destroyed") return undefined;
  if (identity.rootId === rootId) return identity;
  throw walError(
    "WAL_FOREIGN",
    `${location} holds WAL ${identity.walId} of root ${identity.rootId}, and root ${rootId} was opened. ` +
      `Open that root, or choose another directory for the WAL`,
  );
}

function minted(random: Random, rootId: string): Identity {
  return { state: "created", walId: randomId(random), nodeId: randomId(random), rootId };
}

/** A new WAL in a place that is empty, but for what a destroyed one left. */
async function begin(device: SegmentDevice, identity: Identity, epoch: number): Promise<void> {
  await removeContent(device, epoch);
  await writeIdentity(device, identity, epoch);
}

/** @throws KarstError `WAL_FENCED` (`fenced`) where the epoch has a successor, with nothing written. */
async function writeIdentity(
  device: SegmentDevice,
  identity: Identity,
  epoch: number,
): Promise<void> {
  const bytes = encodeIdentity(identity);
  try {
    await device.replaceSmall({ name: IDENTITY_FILE, bytes, writer: String(epoch), epoch });
  } catch (error) {
    if (!hasCode(error, "FILE_NOT_FOUND")) throw error;
    throw walError("WAL_FENCED", `a later claim of the WAL in ${device.location} exists`, error);
  }
}

/** Removes the segments up to this claim's, what is temporary, and all earlier fences: nothing that a later claim may rest on. */
async function removeContent(device: SegmentDevice, epoch: number): Promise<void> {
  const names: string[] = [];
  const fences: { readonly name: string; readonly epoch: number }[] = [];
  for (const { name } of await device.list()) {
    const parsed = parseName(name);
    if (parsed.tag === "temporary") names.push(name);
    if (parsed.tag === "segment" && parsed.epoch <= epoch) names.push(name);
    if (parsed.tag === "fence" && parsed.epoch < epoch) fences.push({ name, epoch: parsed.epoch });
  }
  // In ascending order: see `DeviceSteps`.
  names.push(...fences.toSorted((a, b) => a.epoch - b.epoch).map(({ name }) => name));
  if (names.length > 0) await device.remove(names);
}

async function removeTemporaries(device: SegmentDevice): Promise<void> {
  const names = (await device.list())
    .map(({ name }) => name)
    .filter((name) => parseName(name).tag === "temporary");
  if (names.length > 0) await device.remove(names);
}

/** Creates the next fence: from here on, no earlier claim reports anything durable. */
async function fence(device: SegmentDevice): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const epoch = (await greatestFence(device)) + 1;
    try {
      await device.createFence(epoch);
      return epoch;
    } catch (error) {
      if (!hasCode(error, "FILE_EXISTS") || attempt === FENCE_ATTEMPTS_MAX) throw error;
    }
  }
}

async function greatestFence(device: SegmentDevice): Promise<number> {
  let greatest = 0;
  for (const { name } of await device.list()) {
    const parsed = parseName(name);
    // A segment's name tells of its epoch's fence, should that be gone.
    if (parsed.tag === "fence" || parsed.tag === "segment")
      greatest = Math.max(greatest, parsed.epoch);
  }
  return greatest;
}

async function refuseWhileHeld(device: SegmentDevice): Promise<void> {
  const bytes = await device.readSmall(LOCK_FILE);
  const line = bytes === undefined ? undefined : utf8Decode(bytes);
  if (line === undefined || !device.holder.isAlive(line)) return;
  throw walError(
    "WAL_IN_USE",
    `${device.location} is in use by another opening of this WAL (${line}). Close that one first, or choose another directory`,
  );
}

async function lock({ device, random }: FileClaimContext): Promise<void> {
  device.holder.begin();
  try {
    const bytes = utf8Encode(device.holder.self);
    await device.replaceSmall({ name: LOCK_FILE, bytes, writer: randomId(random) });
  } catch (error) {
    device.holder.end();
    throw error;
  }
}

/** Removes the lock if it is still ours. Never rejects: a lock that stays behind names a holder that does not live. */
async function unlock({ device, runtime }: FileClaimContext): Promise<void> {
  device.holder.end();
  try {
    const bytes = await device.readSmall(LOCK_FILE);
    if (bytes !== undefined && utf8Decode(bytes) === device.holder.self)
      await device.remove([LOCK_FILE]);
  } catch (error) {
    runtime.log.warn("wal-lock-not-removed", { location: device.location, reason: String(error) });
  }
}

/** Somebody else created, removed or replaced what this claim was about to use. */
function isContest(error: unknown): error is KarstError {
  return hasCode(error, "FILE_EXISTS") || hasCode(error, "FILE_NOT_FOUND");
}

function contested({ location }: SegmentDevice, cause?: unknown): KarstError {
  return walError(
    "WAL_IN_USE",
    `${location} was opened by another process at the same time. Let only one of them start`,
    cause,
  );
}
