import { type Random, randomId, type Runtime, type SlabPool } from "@karst/runtime";
import { walError } from "./errors.ts";
import { walLimits, type WalLimits } from "./limits.ts";
import type { MemoryPlace } from "./memory-place.ts";
import { MemoryWal } from "./memory-wal.ts";
import { type WalClaim, type WalFactory, WAL_START } from "./wal.ts";

export interface MemoryWalOptions {
  readonly runtime: Runtime;
  readonly slabs: SlabPool;
  readonly limits?: Partial<
    Pick<WalLimits, "frameBytesMax" | "pendingBytesMax" | "groupFramesMax">
  >;
}

/**
 * A WAL that lives as long as this object: **nothing survives the process**. What was reported durable is recovered by the next
 * claim of the same object, which fences the one before it, alive or not.
 */
export function memoryWal(options: MemoryWalOptions): WalFactory {
  const limits = walLimits(options.limits);
  const random = options.runtime.random.fork("memory wal");
  const place: MemoryPlace = {
    identity: undefined,
    epoch: 0,
    frames: [],
    end: WAL_START,
    trimmed: WAL_START,
  };
  return {
    kind: "memory",
    claim: async (claiming) => claim({ ...options, limits, random, place }, claiming),
  };
}

interface Context {
  readonly runtime: Runtime;
  readonly slabs: SlabPool;
  readonly limits: WalLimits;
  readonly random: Random;
  readonly place: MemoryPlace;
}

function claim(context: Context, { rootId, admit }: Parameters<WalFactory["claim"]>[0]): WalClaim {
  const { place, random } = context;
  const fresh = place.identity === undefined;
  const identity = place.identity ?? { walId: randomId(random), nodeId: randomId(random), rootId };
  if (identity.rootId !== rootId) {
    throw walError(
      "WAL_FOREIGN",
      `this memory WAL belongs to root ${identity.rootId}, and root ${rootId} was opened: give each root a memory WAL of its own`,
    );
  }
  const epoch = place.epoch + 1;
  const { walId, nodeId } = identity;
  const facts = { walId, nodeId, kind: "memory", epoch, fresh, location: "memory" } as const;
  admit?.(facts);
  place.identity = identity;
  place.epoch = epoch;
  let state: "claimed" | "recovered" | "failed" | "released" = "claimed";
  const checkFence = (): void => {
    if (place.epoch !== epoch)
      throw walError("WAL_FENCED", "a later claim of this memory WAL exists");
  };
  return {
    ...facts,
    async recover({ trim, accept, onFrame, listener }) {
      if (state !== "claimed") throw new TypeError(`the claim is ${state}: recover is called once`);
      checkFence();
      if (trim > place.end) {
        throw walError(
          "WAL_STALE",
          `the memory WAL ends at position ${place.end}, and the catalogue has recorded a trim to ${trim}`,
        );
      }
      state = "recovered";
      try {
        await accept?.();
        checkFence();
      } catch (error) {
        state = "failed";
        throw error;
      }
      for (const frame of place.frames) {
        if (frame.end <= trim) continue;
        frame.slab.retain();
        onFrame(frame);
      }
      return new MemoryWal({ ...context, listener, epoch, walId: identity.walId });
    },
    async checkNewest() {
      checkFence();
    },
    async release() {
      if (state === "recovered") throw new TypeError("the claim is recovered: end the WAL instead");
      state = "released";
    },
  };
}
