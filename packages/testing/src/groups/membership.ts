/** When something was asked: a moment of the run, which is unique and grows, and the time. */
export interface Asking {
  readonly sentAt: number;
  readonly sentMs: number;
}

/** The same, and when it was answered. */
export interface Asked extends Asking {
  readonly answeredAt: number;
  readonly answeredMs: number;
}

/**
 * One member id from its first generation on. Once its group has let it go it never comes back: whatever it was at two moments it was
 * all the time between them.
 */
export class Membership {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** It was a member at all times between these. */
  readonly from: number;
  readonly fromMs: number;
  until: number;
  untilMs: number;
  /** Since when it is known not to be one any more. */
  goneAt: number = Infinity;
  /** What could only be done without it, and when that was answered. */
  suspicion: { readonly what: string; readonly at: number } | undefined;

  constructor(memberId: string, instanceId: string | null, asked: Asked) {
    this.memberId = memberId;
    this.instanceId = instanceId;
    this.from = asked.answeredAt;
    this.fromMs = asked.answeredMs;
    this.until = asked.answeredAt;
    this.untilMs = asked.answeredMs;
  }

  /** It was one when this was asked. */
  proven({ sentAt, sentMs }: Asked): void {
    if (sentAt <= this.until) return;
    this.until = sentAt;
    this.untilMs = sentMs;
  }
}

/** A time in which a group may have had no members. */
export interface Gap {
  readonly from: number;
  readonly fromMs: number;
  readonly to: number;
  readonly ms: number;
}

/** Where no member is proven, from the first moment to now. */
export function gapsOf(
  memberships: Iterable<Membership>,
  now: { readonly at: number; readonly ms: number },
): Gap[] {
  const gaps: Gap[] = [];
  let covered = { at: 0, ms: 0 };
  const gap = (to: number, toMs: number): Gap => ({
    from: covered.at,
    fromMs: covered.ms,
    to,
    ms: toMs - covered.ms,
  });
  for (const { from, fromMs, until, untilMs } of [...memberships].toSorted(
    (a, b) => a.from - b.from,
  )) {
    if (from > covered.at) gaps.push(gap(from, fromMs));
    if (until > covered.at) covered = { at: until, ms: untilMs };
  }
  if (now.at > covered.at) gaps.push(gap(now.at, now.ms));
  return gaps;
}
