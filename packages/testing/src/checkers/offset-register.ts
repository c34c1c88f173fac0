/** What was asked of a register: a value, or undefined for none. Moments are unique, and grow. */
export interface RegisterWrite {
  readonly value: number | undefined;
  readonly sentAt: number;
  readonly sentMs: number;
  /** Where it was sent: of the same lane what was sent later takes effect later. undefined: nowhere that others are. */
  readonly lane: number | undefined;
  /** Answered. Infinity: nobody knows whether and when it takes effect. */
  doneAt: number;
  /** It has had its effect by then, or never will. */
  latestAt: number;
  /** It must never have an effect. */
  refused: boolean;
}

interface RegisterRead {
  readonly value: number | undefined;
  readonly sentAt: number;
  readonly doneAt: number;
  readonly doneMs: number;
}

/** When values may go of themselves: when they, and the time that it is in, are old enough. */
export interface Expiry {
  readonly ageMs: number;
  readonly times: readonly {
    readonly from: number;
    readonly fromMs: number;
    readonly to: number;
  }[];
}

/** All operations on one value, from the first end to the last beginning: while that is so, it is the register's. */
interface Zone {
  readonly what: string;
  readonly firstEnd: number;
  readonly lastStart: number;
}

/** `void`: a refused write was seen. `lost`: the register went back, also behind what its lane says, or to nothing. `expired`: to nothing, after a long time. */
export interface RegisterAnomaly {
  readonly kind: "void" | "lost" | "expired";
  readonly detail: string;
}

/**
 * What is known of one committed offset. Each value is written once, so that a history can be judged by the zones of its values:
 * it is one of a register that changes one write at a time if and only if no two zones that reach forward overlap, and none that
 * reaches backward lies inside of one that reaches forward.
 *
 * Source: Gibbons and Korach, Testing Shared Memories (1997), section 4.
 */
export class OffsetRegister {
  readonly #writes: RegisterWrite[] = [];
  readonly #reads: RegisterRead[] = [];

  /** @param value never written before; undefined: it is deleted. */
  write(value: number | undefined, sentAt: number, sentMs: number, lane?: number): RegisterWrite {
    const write: RegisterWrite = {
      value,
      sentAt,
      sentMs,
      lane,
      doneAt: Infinity,
      latestAt: Infinity,
      refused: false,
    };
    this.#writes.push(write);
    return write;
  }

  read(value: number | undefined, read: Omit<RegisterRead, "value">): void {
    this.#reads.push({ value, ...read });
  }

  get operations(): number {
    return this.#writes.length + this.#reads.length;
  }

  /** Something was written for certain before this moment, and nobody has ever tried to delete it. */
  isHeldFrom(at: number): boolean {
    return (
      this.#writes.some(({ value, doneAt }) => value !== undefined && doneAt < at) &&
      !this.#writes.some(({ value, refused }) => value === undefined && !refused)
    );
  }

  anomaly(expiry: Expiry): RegisterAnomaly | undefined {
    return (
      this.#seenVoid() ??
      this.#outOfOrder() ??
      this.#lostToNothing(expiry) ??
      overlap(this.#zones())
    );
  }

  #seenVoid(): RegisterAnomaly | undefined {
    for (const { value, doneAt } of this.#reads) {
      if (value === undefined) continue;
      const write = this.#writes.find((one) => one.value === value);
      if (write === undefined || write.sentAt > doneAt)
        return { kind: "void", detail: `${value} was read, and nobody had committed it` };
      if (write.refused) return { kind: "void", detail: `${value} was read, and was refused` };
    }
    return undefined;
  }

  /** A value was read, though what its sender had sent after it was done. */
  #outOfOrder(): RegisterAnomaly | undefined {
    for (const read of this.#reads) {
      if (read.value === undefined) continue;
      const write = this.#writes.find(({ value }) => value === read.value);
      if (write?.lane === undefined) continue;
      const later = this.#writes.find(
        ({ lane, sentAt, doneAt, refused }) =>
          lane === write.lane && sentAt > write.sentAt && doneAt < read.sentAt && !refused,
      );
      if (later !== undefined)
        return { kind: "lost", detail: `${read.value} was read, after ${later.value} behind it` };
    }
    return undefined;
  }

  /** Nothing was read, though something was there. */
  #lostToNothing({ ageMs, times }: Expiry): RegisterAnomaly | undefined {
    const deletions = [
      { sentAt: -1, latestAt: -1 },
      ...this.#writes
        .filter(({ value, refused }) => value === undefined && !refused)
        .map(({ sentAt, doneAt, latestAt }) => ({ sentAt, latestAt: Math.min(doneAt, latestAt) })),
    ];
    for (const read of this.#reads) {
      if (read.value !== undefined) continue;
      const before = this.#writes.filter(
        (write) => write.value !== undefined && this.#knownBy(write) < read.sentAt,
      );
      const isOld = before.every(({ sentMs }) => read.doneMs - sentMs >= ageMs);
      const lapses = times
        .filter(({ fromMs }) => read.doneMs - fromMs >= ageMs)
        .map(({ from, to }) => ({ sentAt: from, latestAt: to }));
      const isExplained = (isOld ? [...deletions, ...lapses] : deletions).some(
        ({ sentAt, latestAt }) =>
          sentAt < read.doneAt && !before.some((write) => write.sentAt > latestAt),
      );
      if (isExplained) continue;
      return {
        kind: isOld ? "expired" : "lost",
        detail: `nothing was read, after ${before.at(-1)?.value} was committed`,
      };
    }
    return undefined;
  }

  /** When it had certainly had its effect: it was answered, or seen. */
  #knownBy({ value, doneAt }: RegisterWrite): number {
    const seen = this.#reads.filter((read) => read.value === value).map((read) => read.doneAt);
    return Math.min(doneAt, ...seen);
  }

  #zones(): Zone[] {
    const zones: Zone[] = [];
    for (const write of this.#writes) {
      const { value, sentAt, doneAt } = write;
      const reads = value === undefined ? [] : this.#reads.filter((read) => read.value === value);
      if (write.refused || (doneAt === Infinity && reads.length === 0)) continue;
      zones.push({
        what: value === undefined ? "a deletion" : String(value),
        firstEnd: Math.min(doneAt, ...reads.map((read) => read.doneAt)),
        lastStart: Math.max(sentAt, ...reads.map((read) => read.sentAt)),
      });
    }
    for (const { value, sentAt, doneAt } of this.#reads) {
      if (value === undefined) zones.push({ what: "nothing", firstEnd: doneAt, lastStart: sentAt });
    }
    return zones;
  }
}

function overlap(zones: readonly Zone[]): RegisterAnomaly | undefined {
  const forward = zones
    .filter(({ firstEnd, lastStart }) => firstEnd < lastStart)
    .toSorted((a, b) => a.firstEnd - b.firstEnd);
  for (const [i, zone] of forward.entries()) {
    const next = forward[i + 1];
    if (next !== undefined && next.firstEnd < zone.lastStart)
      return {
        kind: "lost",
        detail: `${zone.what} was read before and after ${next.what} was there`,
      };
  }
  for (const { what, firstEnd, lastStart } of zones) {
    if (firstEnd < lastStart) continue;
    const around = forward.find((zone) => zone.firstEnd < lastStart && firstEnd < zone.lastStart);
    if (around !== undefined)
      return { kind: "lost", detail: `${around.what} was there before and after ${what}` };
  }
  return undefined;
}
