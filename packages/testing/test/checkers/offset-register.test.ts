import assert from "node:assert/strict";
import { test } from "vitest";
import { OffsetRegister } from "../../src/checkers/offset-register.ts";

const NEVER = { ageMs: 100, times: [] };

/** What happened, moment by moment: `7` commits it, `?7` leaves that open, `!7` was refused, `=7` reads it, `=` nothing, `x` deletes. */
function played(history: string): OffsetRegister {
  const register = new OffsetRegister();
  let moment = 0;
  for (const what of history.split(" ")) {
    const sentAt = (moment += 1);
    const value = /\d+/.exec(what) === null ? undefined : Number(/\d+/.exec(what)?.[0]);
    if (what.startsWith("=")) {
      register.read(value, { sentAt, doneAt: (moment += 1), doneMs: moment });
      continue;
    }
    const write = register.write(value, sentAt, moment);
    if (what.startsWith("!")) write.refused = true;
    else if (!what.startsWith("?")) write.doneAt = moment += 1;
  }
  return register;
}

test.each([
  "= 1 =1 =1 2 =2",
  "1 ?2 =1 =2 =2 3 =3",
  "1 ?2 =1 3 =3",
  // It comes late.
  "?1 2 =2 =1",
  "1 !2 =1",
  "1 x = 2 =2",
  "1 ?x =1 = 2 =2",
])("%s is a history", (history) => {
  assert.equal(played(history).anomaly(NEVER), undefined);
});

test.each([
  ["1 =", "lost"],
  ["1 2 =1", "lost"],
  ["?1 =1 =", "lost"],
  ["1 ?2 =2 =1", "lost"],
  ["1 ?2 ?3 =3 =2 =3", "lost"],
  ["1 x =1", "lost"],
  ["1 ?x = =1", "lost"],
  ["1 !2 =2", "void"],
  ["=1", "void"],
])("%s is none: %s", (history, kind) => {
  assert.equal(played(history).anomaly(NEVER)?.kind, kind);
});

test("values may go when they are old, and at times when they may, and have for as long", () => {
  const time = { from: 0, fromMs: 0, to: 9 };
  assert.equal(played("1 =").anomaly({ ageMs: 100, times: [time] })?.kind, "lost");
  assert.equal(played("1 =").anomaly({ ageMs: 1, times: [] })?.kind, "expired");
  assert.equal(played("1 =").anomaly({ ageMs: 1, times: [time] }), undefined);
  const late = { ...time, fromMs: 4 };
  assert.equal(played("1 =").anomaly({ ageMs: 1, times: [late] })?.kind, "expired");
});

test("a deletion that nobody has heard of explains no more than what came before it was over", () => {
  const register = new OffsetRegister();
  const deletion = register.write(undefined, 1, 1);
  const write = register.write(1, 5, 5);
  write.doneAt = 6;
  register.read(undefined, { sentAt: 7, doneAt: 8, doneMs: 8 });
  assert.equal(register.anomaly(NEVER), undefined);
  deletion.latestAt = 4;
  assert.equal(register.anomaly(NEVER)?.kind, "lost");
});

test("of what one connection has sent, the last counts", () => {
  const register = new OffsetRegister();
  const [first, second] = [register.write(1, 1, 1, 7), register.write(2, 2, 2, 7)];
  first.doneAt = 3;
  second.doneAt = 4;
  register.read(1, { sentAt: 5, doneAt: 6, doneMs: 6 });
  assert.equal(register.anomaly(NEVER)?.kind, "lost");
});

test("of what two have sent at the same time, either does", () => {
  const register = new OffsetRegister();
  const [first, second] = [register.write(1, 1, 1, 7), register.write(2, 2, 2, 8)];
  first.doneAt = 3;
  second.doneAt = 4;
  register.read(1, { sentAt: 5, doneAt: 6, doneMs: 6 });
  assert.equal(register.anomaly(NEVER), undefined);
});
