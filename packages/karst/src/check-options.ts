import { DEFAULT_LIMITS } from "@karst/core";
import { DEFAULT_WAL_LIMITS } from "@karst/wal";
import type { EngineLimits, OpenOptions } from "./api/engine.ts";
import { karstError } from "./errors.ts";
import { suggestion } from "./nearest.ts";

const OPTIONS: Readonly<Record<keyof OpenOptions, true>> = {
  root: true,
  wal: true,
  objectStore: true,
  memory: true,
  runtime: true,
  limits: true,
  abandonWal: true,
};

const ENGINE_LIMITS = Object.keys(DEFAULT_LIMITS);
const WAL_LIMITS = Object.keys(DEFAULT_WAL_LIMITS);

/**
 * Refuses what the types forbid too, for callers without them, and what contradicts itself.
 *
 * @throws KarstError `INVALID_OPTIONS` (`invalid`).
 */
export function checkOptions(options: OpenOptions): void {
  if (typeof options !== "object" || options === null) {
    throw invalid('open() takes an object, such as { root: "file:./karst-data" }');
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTIONS, name)) continue;
    throw invalid(`unknown option ${name}${suggestion(name, Object.keys(OPTIONS))}`);
  }
  if (options.objectStore === undefined) checkPlaces(options);
  else checkComponents(options);
  checkLimits(options.limits ?? {}, options.objectStore !== undefined);
}

function checkPlaces(options: OpenOptions): void {
  if (options.root === undefined) {
    throw invalid(
      'open() needs a root, such as "file:./karst-data" or "memory:", or an objectStore and a wal',
    );
  }
  if (options.memory !== undefined) {
    throw invalid("memory goes with an injected objectStore and wal");
  }
  if (options.wal !== undefined && typeof options.wal !== "string") {
    throw invalid("with a root, wal is a URL; an injected wal needs an injected objectStore");
  }
}

function checkComponents(options: OpenOptions): void {
  if (options.root !== undefined) {
    throw invalid(`root ${options.root} and objectStore both say where the objects are: give one`);
  }
  if (typeof options.wal !== "object") {
    throw invalid(
      "an injected objectStore needs an injected wal, such as fileWal(…) of @karst/wal",
    );
  }
}

function checkLimits(limits: Partial<EngineLimits>, injected: boolean): void {
  for (const [name, value] of Object.entries(limits)) {
    const ofWal = WAL_LIMITS.includes(name);
    if (!ofWal && !ENGINE_LIMITS.includes(name)) {
      throw invalid(`unknown limit ${name}${suggestion(name, [...ENGINE_LIMITS, ...WAL_LIMITS])}`);
    }
    if (ofWal && injected) throw invalid(`limit ${name} is the injected WAL's own`);
    if (!Number.isSafeInteger(value) || value < 1) {
      throw invalid(`limit ${name} is a whole number above 0, not ${String(value)}`);
    }
  }
}

function invalid(message: string): Error {
  return karstError("INVALID_OPTIONS", message);
}
