import type { Catalogue, CatalogueRow } from "@karst/core";
import { crc32c, utf8Encode } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";

/**
 * What every catalogue of one root must agree on: the image at each revision.
 *
 * Invariant: one digest per revision, whoever showed it.
 */
export class ImageChain {
  readonly #invariants: Invariants;
  readonly #digests = new Map<number, number>();
  readonly #seen = new Map<Catalogue, number>();
  /** Images that somebody else had shown before. */
  agreed = 0;

  constructor(invariants: Invariants) {
    this.#invariants = invariants;
  }

  /** Takes note of where a catalogue stands. */
  check(name: string, catalogue: Catalogue): void {
    const { revision } = catalogue;
    const last = this.#seen.get(catalogue);
    if (last === revision) return;
    this.#invariants.check(
      "O7",
      last === undefined || revision > last,
      () => `${name} went back from revision ${last} to ${revision}`,
    );
    this.#seen.set(catalogue, revision);
    const digest = digestOf(catalogue);
    const known = this.#digests.get(revision);
    this.#invariants.check(
      "O1",
      known === undefined || known === digest,
      () => `${name} shows another image at revision ${revision}`,
    );
    if (known === undefined) this.#digests.set(revision, digest);
    else this.agreed += 1;
  }

  forget(catalogue: Catalogue): void {
    this.#seen.delete(catalogue);
  }
}

function digestOf(catalogue: Catalogue): number {
  let digest = 0;
  for (const row of catalogue.scan(""))
    digest = Math.imul(digest ^ rowDigest(row), 0x01000193) >>> 0;
  return digest;
}

function rowDigest({ key, revision, value }: CatalogueRow): number {
  return crc32c(utf8Encode(`${key} ${revision} ${crc32c(value)}`));
}
