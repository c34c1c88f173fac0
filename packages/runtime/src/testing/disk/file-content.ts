import { type Random, randomInteger } from "../../random.ts";

/** What a disk writes as one, at best: a crash may still cut inside it. */
export const SECTOR_BYTES = 512;

/** Overwritten, never synced versions of one sector that a crash may bring back. */
const OLDER_VERSIONS_MAX = 8;

/** How the crash treats what was not synced. */
export type CrashKeep = "synced" | "all" | "random";

interface Version {
  readonly stamp: number;
  readonly bytes: Uint8Array;
}

/** A sector whose content in the page cache may differ from the medium's. */
interface DirtySector {
  /** The medium's content; none: it is beyond the durable size, all zeros. */
  base: Uint8Array | undefined;
  /** What the cache held between the medium's content and the present one: write-back may have caught any of it. */
  older: Version[];
  stamp: number;
  /** A failed sync marked it clean: readable still, and no later sync writes it. */
  lost: boolean;
}

/** Where a sync began: it makes durable what had been written by then. */
export interface SyncPoint {
  readonly stamp: number;
  readonly size: number;
}

/** What a crash did to sectors. */
export interface SectorTally {
  kept: number;
  dropped: number;
  torn: number;
}

/**
 * One file's bytes: the page cache's, and what of them the medium holds.
 *
 * - A sector that is not in `#dirty` is the same in the cache and on the medium.
 * - The medium holds zeros beyond `#durableSize`; the cache holds zeros beyond `#size`.
 * - Sizes only grow, but for `truncate` and `crash`.
 */
export class FileContent {
  #cache = new Uint8Array(0);
  #size = 0;
  #durableSize = 0;
  #dirty = new Map<number, DirtySector>();
  #stamp = 0;
  #syncsInFlight = 0;

  get size(): number {
    return this.#size;
  }

  /** Copies out what is there; returns how many bytes. */
  read(into: Uint8Array, position: number): number {
    const end = Math.min(position + into.length, this.#size);
    if (position >= end) return 0;
    into.set(this.#cache.subarray(position, end));
    return end - position;
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    this.#reserve(end);
    this.#stamp += 1;
    for (let sector = sectorOf(position); sector <= sectorOf(end - 1); sector += 1)
      this.#touch(sector);
    this.#cache.set(bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  beginSync(): SyncPoint {
    this.#syncsInFlight += 1;
    return { stamp: this.#stamp, size: this.#size };
  }

  /** The sync has succeeded: what had been written at `point` is on the medium, but for what an earlier failure lost. */
  completeSync(point: SyncPoint): void {
    this.#syncsInFlight -= 1;
    for (const [sector, dirty] of this.#dirty) {
      if (dirty.lost) continue;
      if (dirty.stamp <= point.stamp) {
        this.#dirty.delete(sector);
        continue;
      }
      const synced = dirty.older.findLast((version) => version.stamp <= point.stamp);
      if (synced === undefined) continue;
      dirty.base = synced.bytes;
      dirty.older = dirty.older.filter((version) => version.stamp > point.stamp);
    }
    this.#durableSize = Math.max(this.#durableSize, Math.min(point.size, this.#size));
  }

  /** The sync has failed; with `lose`, as Linux does, its pages are clean now and their data is in the cache only. */
  failSync(point: SyncPoint, lose: boolean): void {
    this.#syncsInFlight -= 1;
    if (!lose) return;
    for (const dirty of this.#dirty.values()) {
      if (dirty.stamp <= point.stamp) dirty.lost = true;
      dirty.older = dirty.older.filter((version) => version.stamp > point.stamp);
    }
  }

  /** Whether every crash leaves the bytes of [start, end) as they read now. */
  isDurable(start: number, end: number): boolean {
    if (end > this.#durableSize) return false;
    for (let sector = sectorOf(start); sector * SECTOR_BYTES < end; sector += 1) {
      const dirty = this.#dirty.get(sector);
      if (dirty === undefined) continue;
      const from = Math.max(start - sector * SECTOR_BYTES, 0);
      const to = Math.min(end - sector * SECTOR_BYTES, SECTOR_BYTES);
      const present = this.#sector(sector);
      for (const other of [dirty.base ?? ZEROS, ...dirty.older.map((version) => version.bytes)]) {
        for (let i = from; i < to; i += 1) if (other[i] !== present[i]) return false;
      }
    }
    return true;
  }

  /** Power is lost: the content becomes one that the medium may hold. */
  crash(keep: CrashKeep, random: Random, garbage: boolean): SectorTally {
    const tally: SectorTally = { kept: 0, dropped: 0, torn: 0 };
    // Some crashes lose nearly everything and some nearly nothing, which a fixed chance would hardly ever produce.
    const survivalPercent = randomInteger(random, -20, 120);
    for (const [sector, dirty] of this.#dirty) {
      const survives =
        !dirty.lost &&
        keep !== "synced" &&
        (keep === "all" || randomInteger(random, 0, 99) < survivalPercent);
      const base = dirty.base ?? (survives || !garbage ? ZEROS : maybeGarbage(keep, random));
      if (!survives) {
        this.#sector(sector).set(base);
        tally.dropped += 1;
      } else if (keep === "random" && this.#tear(sector, dirty, base, random)) tally.torn += 1;
      else tally.kept += 1;
    }
    this.#dirty.clear();
    this.#resize(this.#sizeAfter(keep, random));
    this.#durableSize = this.#size;
    this.#syncsInFlight = 0;
    return tally;
  }

  /** Evicts clean pages: what a failed sync lost is no longer readable. */
  dropCache(): void {
    for (const [sector, dirty] of this.#dirty) {
      if (!dirty.lost) continue;
      this.#sector(sector).set(dirty.base ?? ZEROS);
      this.#dirty.delete(sector);
    }
  }

  /** Flips bits of one byte wherever it is held: in the cache, on the medium, in what a crash could bring back. */
  flip(position: number, mask: number): void {
    const at = position % SECTOR_BYTES;
    const dirty = this.#dirty.get(sectorOf(position));
    const older = dirty?.older.map((version) => version.bytes) ?? [];
    for (const bytes of [this.#sector(sectorOf(position)), dirty?.base, ...older]) {
      if (bytes !== undefined) bytes[at] = (bytes[at] as number) ^ mask;
    }
  }

  /** Puts bytes into the cache and onto the medium. */
  overwrite(bytes: Uint8Array, position: number): void {
    this.write(bytes, position);
    for (let i = 0; i < bytes.length; i += 1) {
      const at = (position + i) % SECTOR_BYTES;
      const dirty = this.#dirty.get(sectorOf(position + i)) as DirtySector;
      dirty.base ??= new Uint8Array(SECTOR_BYTES);
      dirty.base[at] = bytes[i] as number;
      for (const version of dirty.older) version.bytes[at] = bytes[i] as number;
    }
    this.#durableSize = Math.max(this.#durableSize, position + bytes.length);
  }

  /** Cuts the file, or extends it with zeros, on the medium too. */
  truncate(size: number): void {
    const grows = size > this.#size;
    this.#resize(size);
    for (const [sector, dirty] of this.#dirty) {
      const from = size - sector * SECTOR_BYTES;
      if (from <= 0) this.#dirty.delete(sector);
      else if (from < SECTOR_BYTES) {
        dirty.base?.fill(0, from);
        for (const version of dirty.older) version.bytes.fill(0, from);
      }
    }
    this.#durableSize = grows ? size : Math.min(this.#durableSize, size);
  }

  copy(): FileContent {
    const copy = new FileContent();
    copy.#cache = this.#cache.slice();
    copy.#size = this.#size;
    copy.#durableSize = this.#durableSize;
    copy.#stamp = this.#stamp;
    for (const [sector, dirty] of this.#dirty) {
      const older = dirty.older.map((version) => ({
        stamp: version.stamp,
        bytes: version.bytes.slice(),
      }));
      copy.#dirty.set(sector, { ...dirty, base: dirty.base?.slice(), older });
    }
    return copy;
  }

  #sector(sector: number): Uint8Array {
    return this.#cache.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
  }

  #touch(sector: number): void {
    const dirty = this.#dirty.get(sector);
    if (dirty === undefined) {
      const base =
        sector * SECTOR_BYTES < this.#durableSize ? this.#sector(sector).slice() : undefined;
      this.#dirty.set(sector, { base, older: [], stamp: this.#stamp, lost: false });
      return;
    }
    if (!dirty.lost) dirty.older.push({ stamp: dirty.stamp, bytes: this.#sector(sector).slice() });
    if (dirty.older.length > OLDER_VERSIONS_MAX && this.#syncsInFlight === 0) dirty.older.shift();
    dirty.lost = false;
    dirty.stamp = this.#stamp;
  }

  /** Leaves an older version, or the beginning of one version and the rest of the one before; says whether it did. */
  #tear(sector: number, dirty: DirtySector, base: Uint8Array, random: Random): boolean {
    if (randomInteger(random, 0, 3) > 0) return false;
    const versions = [
      base,
      ...dirty.older.map((version) => version.bytes),
      this.#sector(sector).slice(),
    ];
    const chosen = randomInteger(random, 1, versions.length - 1);
    const cut = randomInteger(random, 1, SECTOR_BYTES);
    const present = this.#sector(sector);
    present.set(versions[chosen - 1] as Uint8Array);
    present.set((versions[chosen] as Uint8Array).subarray(0, cut));
    return true;
  }

  #sizeAfter(keep: CrashKeep, random: Random): number {
    if (keep === "synced") return this.#durableSize;
    if (keep === "all") return this.#size;
    switch (randomInteger(random, 0, 3)) {
      case 0:
        return this.#durableSize;
      case 1:
        return randomInteger(random, this.#durableSize, this.#size);
      default:
        return this.#size;
    }
  }

  #resize(size: number): void {
    this.#reserve(size);
    this.#cache.fill(0, size);
    this.#size = size;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#cache.length) return;
    const capacity = Math.max(bytes, this.#cache.length * 2);
    const grown = new Uint8Array(Math.ceil(capacity / SECTOR_BYTES) * SECTOR_BYTES);
    grown.set(this.#cache.subarray(0, this.#size));
    this.#cache = grown;
  }
}

const ZEROS: Uint8Array = new Uint8Array(SECTOR_BYTES);

function sectorOf(position: number): number {
  return Math.floor(position / SECTOR_BYTES);
}

/** A file may be extended on the medium before its data gets there: what shows is zeros, or what the disk held before. */
function maybeGarbage(keep: CrashKeep, random: Random): Uint8Array {
  return keep === "random" && randomInteger(random, 0, 7) === 0
    ? random.bytes(SECTOR_BYTES)
    : ZEROS;
}
