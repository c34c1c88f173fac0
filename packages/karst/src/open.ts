import type { Engine, OpenOptions } from "./api/engine.ts";
import { EngineHandle } from "./engine-handle.ts";
import { openParts } from "./open-parts.ts";

/**
 * Opens an engine: tries what safety rests on, claims the WAL, recovers, and serves.
 *
 * @throws KarstError `INVALID_OPTIONS`, `INVALID_ROOT`, `STORE_UNFIT`, `WAL_FOREIGN` (`invalid`); `WAL_IN_USE` (`conflict`): another
 * process has it open; `WAL_UNAVAILABLE` (`unavailable`): another WAL may hold records that are nowhere else; `WAL_CORRUPT`,
 * `CATALOGUE_CORRUPT`, `RECOVERY_CORRUPT` (`corrupt`): nothing was changed.
 */
export async function open(options: OpenOptions): Promise<Engine> {
  return new EngineHandle(await openParts(options));
}
