/** What must hold whatever happens, by number; docs/reliability.md says each in full. */
export const INVARIANTS = {
  W1: "acknowledged means durable",
  W2: "what is recovered is a prefix of what was appended, with everything acknowledged",
  W3: "nothing is acknowledged before what was appended before it",
  W4: "recovery may be repeated",
  W5: "a torn tail is cut, damage is refused",
  W6: "nothing comes back from an earlier life",
  W7: "what is recovered is durable before it is served",
  W8: "a failed sync ends the instance",
  W9: "the WAL is trimmed only below what the catalogue covers",
  W10: "what is not uploaded is bounded",
  W11: "the caller's bytes are copied",
  W12: "once faults stop, every append settles",
  O1: "catalogue versions form one chain",
  O2: "every referenced object is there, whole",
  O3: "a referenced key is never overwritten",
  O4: "a stream's ranges are sorted and do not overlap",
  O5: "an ambiguous write ends as mine, not mine, or unknown",
  O6: "a sequence number used once is never used again",
  O7: "the catalogue's version never goes back in a process",
  O8: "no decision of safety rests on a clock",
  O9: "what is read is checked before it is returned or cached",
  K1: "a cached read is a cold read",
  K2: "nothing is served above the bound",
  K4: "held memory is accounted for",
  K5: "a failed read is not cached",
  F1: "what a predecessor acknowledged is in its successor's log, below its own",
  F2: "epochs are unique and only grow",
  F3: "who was succeeded acknowledges nothing",
  F5: "what decides an acknowledgement is looked at after the sync",
  F6: "a failed or fenced instance acknowledges nothing",
  F7: "a second process on one directory is refused, or ends the first",
  P1: "offsets only grow, and leave no gaps that nobody asked for",
  P2: "an offset has one batch for ever",
  P3: "start and watermark never go back",
  P4: "a read makes progress, in order, below its bound",
  P5: "a batch is whole, and comes back as it was",
  P6: "a topic made again has nothing of the one before",
  P7: "state rebuilt is state remembered",
  P8: "a time is found where a scan finds it",
  L1: "every answer is one that a log changing one operation at a time could have given",
  CG1: "an acknowledged commit survives, and a fetched one",
  CG2: "commits of a stale generation, member or instance have no effect",
  CG3: "no partition has two owners in one generation",
  CG4: "generations grow over restarts, and member ids are not reused",
  CG5: "offsets of a group with members do not expire",
  CG6: "once faults stop, groups become stable",
  CG7: "a group skips nothing: where it begins, it had read to",
  IP1: "a producer's sequences are there once, in order",
  IP2: "a retry answers the first attempt's offset",
  IP3: "an older producer epoch is refused",
  IP4: "a retry after a crash is known again",
  IP5: "a producer id is given once",
  PL2: "memory stays inside its budget",
  PL4: "closing settles every append and gives everything back",
  PL5: "what fails one log leaves the others alone",
  PL6: "every request is answered, in order, or its connection ends",
} as const;

export type InvariantId = keyof typeof INVARIANTS;

/** An invariant that did not hold. */
export class InvariantViolation extends Error {
  readonly id: InvariantId;

  constructor(id: InvariantId, message: string) {
    super(`${id} (${INVARIANTS[id]}): ${message}`);
    this.name = "InvariantViolation";
    this.id = id;
  }
}

/** Checks, and counts what was checked. */
export class Invariants {
  readonly #counts = new Map<InvariantId, number>();
  #first: InvariantViolation | undefined;

  /** @throws InvariantViolation unless it `holds`. */
  check(id: InvariantId, holds: boolean, message: string | (() => string)): asserts holds {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    if (holds) return;
    const violation = new InvariantViolation(id, typeof message === "string" ? message : message());
    this.#first ??= violation;
    throw violation;
  }

  /** Throws the first violation again: what is found in the middle of the engine's own work, the engine may take for its own failure. */
  rethrow(): void {
    if (this.#first !== undefined) throw this.#first;
  }

  of(id: InvariantId): number {
    return this.#counts.get(id) ?? 0;
  }

  addAll(other: Invariants): void {
    for (const [id, count] of other.#counts) this.#counts.set(id, this.of(id) + count);
  }

  /** How often each was checked. */
  get counts(): Readonly<Partial<Record<InvariantId, number>>> {
    return Object.fromEntries(
      (Object.keys(INVARIANTS) as InvariantId[])
        .map((id) => [id, this.of(id)] as const)
        .filter(([, count]) => count > 0),
    );
  }
}
