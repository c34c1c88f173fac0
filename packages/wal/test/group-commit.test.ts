import assert from "node:assert/strict";
import { test } from "vitest";
import {
  type CommitAction,
  type CommitEvent,
  type CommitState,
  initialCommitState,
  transition,
} from "../src/group-commit.ts";

/** The owner, reduced to what the machine must be told: every sequence of events that an owner can report is walked. */
interface World {
  readonly state: CommitState;
  /** Promised events that have not come yet. */
  readonly turn: boolean;
  readonly write: boolean;
  readonly timer: boolean;
  /** Whether the first waiting group's segment is prepared. */
  readonly ready: boolean;
  readonly closed: boolean;
  /** Groups written and not reported; marks and groups since the last mark. */
  readonly unreported: number;
  readonly ends: number;
}

const WAITING_MAX = 3;

function start(marked: boolean): World {
  const state = initialCommitState(marked);
  return {
    state,
    turn: false,
    write: false,
    timer: !marked,
    ready: true,
    closed: false,
    unreported: 0,
    ends: 0,
  };
}

function step(world: World, event: CommitEvent): World {
  const was = world.state;
  const { state, actions } = transition(was, event);
  let next: World = { ...world, state };
  if (event.tag === "turn") next = { ...next, turn: false };
  if (event.tag === "idle") next = { ...next, timer: false };
  if (event.tag === "written" || (event.tag === "failed" && world.write)) {
    next = {
      ...next,
      write: false,
      unreported: was.writing === "group" && event.tag === "written" ? 1 : 0,
    };
  }
  if (event.tag === "close") next = { ...next, closed: true };
  if (event.tag === "prepared") next = { ...next, ready: event.ready };
  for (const action of actions) next = carryOut(next, action, was);
  if (event.tag === "written" && was.life !== "ended")
    assert.equal(next.unreported, 0, "what is durable is reported at once");
  return next;
}

function carryOut(world: World, action: CommitAction, was: CommitState): World {
  assert.notEqual(was.life, "ended", "an ended machine does nothing");
  switch (action) {
    case "await-turn":
      assert.ok(!world.turn, "one turn is awaited at a time");
      return { ...world, turn: true };
    case "write-group":
    case "write-mark":
      assert.ok(!world.write, "one write is in flight at a time");
      if (action === "write-group")
        assert.ok(world.ready, "a group goes only into a prepared segment");
      return { ...world, write: true };
    case "report":
      assert.equal(world.unreported, 1, "only a durable group is reported, once");
      return { ...world, unreported: 0 };
    case "set-idle":
      assert.ok(!world.timer, "one timer runs at a time");
      return { ...world, timer: true };
    case "fail":
    case "end":
      return { ...world, ends: world.ends + 1 };
  }
}

function possible(world: World): CommitEvent[] {
  const events: CommitEvent[] = [];
  const { state, ready } = world;
  if (state.life === "running" && state.waiting < WAITING_MAX) {
    events.push({ tag: "group", ready: false });
    if (state.waiting > 0 && ready) events.push({ tag: "group", ready: true });
  }
  if (world.turn) events.push({ tag: "turn", ready });
  if (world.write) {
    for (const gather of [false, true]) events.push({ tag: "written", ready, gather });
    events.push({ tag: "failed" });
  }
  if (world.timer) events.push({ tag: "idle" });
  if (!world.closed) events.push({ tag: "close" });
  events.push({ tag: "prepared", ready: true });
  return events;
}

/** Every reachable world, and the events that lead from each. */
function reach(marked: boolean): Map<string, World> {
  const seen = new Map<string, World>();
  const queue = [start(marked)];
  for (let world = queue.pop(); world !== undefined; world = queue.pop()) {
    const key = JSON.stringify(world);
    if (seen.has(key)) continue;
    seen.set(key, world);
    for (const event of possible(world)) queue.push(step(world, event));
    // The segment of a group that waits may turn out not to be prepared yet.
    if (world.state.waiting > 0 && !world.write && world.ready)
      queue.push({ ...world, ready: false });
  }
  return seen;
}

for (const marked of [false, true]) {
  test(`no reachable state loses a wake-up (marked ${marked})`, () => {
    const worlds = reach(marked);
    assert.ok(worlds.size > 50);
    for (const world of worlds.values()) {
      const { state, turn, write, ready, ends } = world;
      assert.equal(
        state.turn,
        turn && state.turn,
        "the machine waits only for turns that were asked for",
      );
      assert.equal(state.writing !== "nothing", write && state.life !== "ended");
      assert.equal(ends, state.life === "ended" ? 1 : 0, "it ends once");
      if (state.life === "ended") continue;
      if (state.waiting > 0)
        assert.ok(turn || write || !ready, `a group waits for nothing: ${JSON.stringify(world)}`);
      if (state.life === "closing")
        assert.ok(turn || write || state.waiting > 0, "closing goes on");
      const quiet = state.waiting === 0 && !write && state.life === "running";
      if (quiet && !state.marked) assert.ok(world.timer, "an unmarked log will get its mark");
    }
  });
}

test("while one group is synced the next one fills, and goes at once", () => {
  let world = start(true);
  world = step(world, { tag: "group", ready: false });
  world = step(world, { tag: "turn", ready: true });
  assert.equal(world.state.writing, "group");
  world = step(world, { tag: "group", ready: false });
  assert.equal(world.turn, false);
  const { actions } = transition(world.state, { tag: "written", ready: true, gather: false });
  assert.deepEqual(actions, ["write-group", "report", "set-idle"]);
});

test("where little waits, the report goes first, and what it sets off is gathered", () => {
  let world = start(true);
  world = step(world, { tag: "group", ready: false });
  world = step(world, { tag: "turn", ready: true });
  world = step(world, { tag: "group", ready: false });
  const { actions } = transition(world.state, { tag: "written", ready: true, gather: true });
  assert.deepEqual(actions, ["report", "await-turn", "set-idle"]);
});

test("a complete group does not wait for the turn's end, and what comes after it does", () => {
  let world = start(true);
  world = step(world, { tag: "group", ready: false });
  assert.equal(world.state.writing, "nothing");
  world = step(world, { tag: "group", ready: true });
  assert.equal(world.state.writing, "group");
  world = step(world, { tag: "written", ready: true, gather: true });
  assert.equal(world.state.writing, "nothing");
  world = step(world, { tag: "turn", ready: true });
  assert.equal(world.state.writing, "group");
});

test("after a quiet time there is one mark and then nothing", () => {
  let world = start(true);
  for (const event of [
    { tag: "group", ready: false },
    { tag: "turn", ready: true },
    { tag: "written", ready: true, gather: true },
  ] as const) {
    world = step(world, event);
  }
  world = step(world, { tag: "idle" });
  assert.equal(world.state.writing, "mark");
  world = step(world, { tag: "written", ready: false, gather: false });
  assert.deepEqual(world.state, { ...initialCommitState(true) });
  assert.equal(world.timer, false);
});

test("a timer that was set before the last group starts anew", () => {
  let world = start(true);
  for (const event of [
    { tag: "group", ready: false },
    { tag: "turn", ready: true },
    { tag: "written", ready: true, gather: false },
    { tag: "group", ready: false },
  ] as const) {
    world = step(world, event);
  }
  world = step(world, { tag: "turn", ready: true });
  world = step(world, { tag: "written", ready: true, gather: false });
  const { actions } = transition(world.state, { tag: "idle" });
  assert.deepEqual(actions, ["set-idle"]);
});
