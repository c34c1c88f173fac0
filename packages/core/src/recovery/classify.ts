// What becomes of each frame found in the WAL at open, against what the catalogue says. The rows are tried in order; the first
// whose conditions all hold decides. `any` matches everything; together the rows cover every combination (see the tests).

/** What is known of one frame. Each field is one condition of the table. */
export interface FrameFacts {
  /** `newer`: an id that the catalogue has not minted yet. `deleted`: minted once, gone now. */
  readonly stream: "known" | "deleted" | "newer";
  /** The frame's stream epoch against the catalogue's; `foreign`: the stream is another node's now. */
  readonly epoch: "owned" | "older" | "newer" | "foreign";
  /**
   * Where the frame lies. `committed`: its end ≤ the committed end. `next`: its base is where the stream's log ends so far.
   * `overlap`: it begins before that, and ends above the committed end. `beyond`: frames before it are missing.
   */
  readonly place: "committed" | "next" | "overlap" | "beyond";
}

/** `take`: part of the tail. `skip`: not needed any more. `corrupt`: refuse to open. */
export type FrameVerdict = "take" | "skip" | "corrupt";

export interface FrameRule {
  readonly stream: FrameFacts["stream"] | "any";
  readonly epoch: FrameFacts["epoch"] | "any";
  readonly place: FrameFacts["place"] | "any";
  readonly verdict: FrameVerdict;
  readonly because: string;
}

export const FRAME_RULES: readonly FrameRule[] = [
  {
    stream: "newer",
    epoch: "any",
    place: "any",
    verdict: "corrupt",
    because: "the catalogue has not minted this stream id",
  },
  {
    stream: "deleted",
    epoch: "any",
    place: "any",
    verdict: "skip",
    because: "the stream is deleted",
  },
  {
    stream: "known",
    epoch: "newer",
    place: "any",
    verdict: "corrupt",
    because: "the catalogue has not minted this stream epoch",
  },
  {
    stream: "known",
    epoch: "any",
    place: "committed",
    verdict: "skip",
    because: "the frame is in an object",
  },
  {
    stream: "known",
    epoch: "foreign",
    place: "any",
    verdict: "skip",
    because: "another node owns the stream",
  },
  {
    stream: "known",
    epoch: "older",
    place: "any",
    verdict: "skip",
    because: "the stream has had a later owner",
  },
  {
    stream: "known",
    epoch: "owned",
    place: "next",
    verdict: "take",
    because: "the frame continues the stream",
  },
  {
    stream: "known",
    epoch: "owned",
    place: "overlap",
    verdict: "corrupt",
    because: "the frame overlaps what is already there",
  },
  {
    stream: "known",
    epoch: "owned",
    place: "beyond",
    verdict: "corrupt",
    because: "frames before this one are missing",
  },
];

/** The first rule that matches. Pure. */
export function classifyFrame(facts: FrameFacts): FrameRule {
  const rule = FRAME_RULES.find(
    (row) =>
      holds(row.stream, facts.stream) &&
      holds(row.epoch, facts.epoch) &&
      holds(row.place, facts.place),
  );
  if (rule === undefined) throw new TypeError("the frame table has a hole");
  return rule;
}

function holds(wanted: string, is: string): boolean {
  return wanted === "any" || wanted === is;
}
