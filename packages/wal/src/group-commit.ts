/**
 * When groups are written: a pure machine at the grain of groups. Its owner holds the bytes, carries out the actions in order,
 * and reports what happened.
 *
 * - At most one write is in flight, so that durability is reported in order.
 * - Where a group waits and nothing is in flight, a turn's end is awaited, or the group's segment is not prepared yet.
 * - A group that is complete need not wait for the turn's end.
 * - After the last group of a quiet time one mark (a group without frames) is written, and then nothing more.
 */
export interface CommitState {
  /** `ended`: closed or failed. */
  readonly life: "running" | "closing" | "ended";
  readonly writing: "nothing" | "group" | "mark";
  /** The end of the current turn is awaited. */
  readonly turn: boolean;
  /** Groups with frames that are not in flight, the open one included. */
  readonly waiting: number;
  /** The last written group lies below a written watermark, or there is none. */
  readonly marked: boolean;
  /** The idle timer; `stale`: something has happened since it was set. */
  readonly idle: "off" | "set" | "stale";
}

export type CommitEvent =
  /** A new group got its first frame. `ready`: there is a complete group before it, which can be written without holding up this turn. */
  | { readonly tag: "group"; readonly ready: boolean }
  /** The awaited turn has ended. `ready`: the segment of the first waiting group is prepared. */
  | { readonly tag: "turn"; readonly ready: boolean }
  /** A segment has been prepared. */
  | { readonly tag: "prepared"; readonly ready: boolean }
  /**
   * The write in flight is durable. `ready`: of the first group that waits now. `gather`: what the report sets off is worth
   * waiting for until the turn's end, because little waits now, or because a write would keep this thread from it.
   */
  | { readonly tag: "written"; readonly ready: boolean; readonly gather: boolean }
  /** The write in flight has failed, or the instance is to end for another reason. */
  | { readonly tag: "failed" }
  | { readonly tag: "idle" }
  | { readonly tag: "close" };

export type CommitAction =
  /** Come back with `turn` when the events that are pending now have been handled. */
  | "await-turn"
  /** Write the first waiting group; come back with `written` or `failed`. */
  | "write-group"
  /** Write a group without frames; likewise. */
  | "write-mark"
  /** Tell that the group that was just written is durable. */
  | "report"
  /** Come back with `idle` after the watermark delay. */
  | "set-idle"
  /** Reject what waits and tell the owner, once. */
  | "fail"
  /** Everything is written: the instance is closed. */
  | "end";

export interface CommitStep {
  readonly state: CommitState;
  readonly actions: readonly CommitAction[];
}

/** `marked`: there is nothing whose loss a later open could take for a torn tail. Else the idle timer is to be set at once. */
export function initialCommitState(marked: boolean): CommitState {
  return {
    life: "running",
    writing: "nothing",
    turn: false,
    waiting: 0,
    marked,
    idle: marked ? "off" : "set",
  };
}

const NOTHING: readonly CommitAction[] = [];

export function transition(state: CommitState, event: CommitEvent): CommitStep {
  if (state.life === "ended") return { state, actions: NOTHING };
  switch (event.tag) {
    case "group": {
      const grown: CommitState = {
        ...state,
        waiting: state.waiting + 1,
        idle: state.idle === "off" ? "off" : "stale",
      };
      if (event.ready) return next(grown, true, NOTHING);
      if (grown.writing !== "nothing" || grown.turn) return { state: grown, actions: NOTHING };
      return { state: { ...grown, turn: true }, actions: ["await-turn"] };
    }
    case "turn":
      return next({ ...state, turn: false }, event.ready, []);
    case "prepared":
      return state.turn ? { state, actions: NOTHING } : next(state, event.ready, []);
    case "written":
      return state.writing === "mark"
        ? afterMark(state, event.ready)
        : afterGroup(state, event.ready, event.gather);
    case "idle":
      return afterQuiet(state);
    case "close":
      return next({ ...state, life: "closing" }, false, []);
    case "failed":
      return {
        state: { ...state, life: "ended", writing: "nothing", turn: false },
        actions: ["fail"],
      };
  }
}

/** Writes the first waiting group if it can go; ends a closing instance that has nothing left to write. */
function next(state: CommitState, ready: boolean, actions: readonly CommitAction[]): CommitStep {
  if (state.writing !== "nothing") return { state, actions };
  if (state.waiting > 0) {
    if (!ready) return { state, actions };
    return {
      state: { ...state, writing: "group", waiting: state.waiting - 1 },
      actions: [...actions, "write-group"],
    };
  }
  if (state.life !== "closing") return { state, actions };
  if (!state.marked)
    return { state: { ...state, writing: "mark" }, actions: [...actions, "write-mark"] };
  return { state: { ...state, life: "ended", turn: false }, actions: [...actions, "end"] };
}

function afterGroup(state: CommitState, ready: boolean, gather: boolean): CommitStep {
  const setsIdle = state.idle === "off" && state.life === "running";
  const idle: readonly CommitAction[] = setsIdle ? ["set-idle"] : NOTHING;
  const free: CommitState = {
    ...state,
    writing: "nothing",
    marked: false,
    idle: setsIdle ? "set" : staleIdle(state),
  };
  if (!gather) {
    // The disk is kept busy first.
    const step = next(free, ready, NOTHING);
    return { state: step.state, actions: [...step.actions, "report", ...idle] };
  }
  if (free.waiting > 0) {
    const awaited: readonly CommitAction[] = free.turn ? NOTHING : ["await-turn"];
    return { state: { ...free, turn: true }, actions: ["report", ...awaited, ...idle] };
  }
  const step = next(free, ready, ["report"]);
  return { state: step.state, actions: [...step.actions, ...idle] };
}

function afterMark(state: CommitState, ready: boolean): CommitStep {
  return next({ ...state, writing: "nothing", marked: true }, ready, NOTHING);
}

function afterQuiet(state: CommitState): CommitStep {
  if (state.idle === "stale") return { state: { ...state, idle: "set" }, actions: ["set-idle"] };
  const off: CommitState = { ...state, idle: "off" };
  const busy = off.writing !== "nothing" || off.waiting > 0 || off.marked || off.life !== "running";
  return busy
    ? { state: off, actions: NOTHING }
    : { state: { ...off, writing: "mark" }, actions: ["write-mark"] };
}

function staleIdle(state: CommitState): CommitState["idle"] {
  return state.idle === "off" ? "off" : "stale";
}
