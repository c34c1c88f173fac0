import type { ClaimFacts } from "@karst/wal";
import assert from "node:assert/strict";
import { test } from "vitest";
import type { NodeRow, NodeWal } from "../../src/catalogue/rows/node-row.ts";
import { decideOpen, type NodeFacts } from "../../src/recovery/decide-open.ts";

const id = (digit: string): string => digit.repeat(32);
const OWN = id("a");
const OTHER = id("b");
const WAL = id("1");
const OTHER_WAL = id("2");

const claim: ClaimFacts = {
  nodeId: OWN,
  walId: WAL,
  kind: "file",
  epoch: 3,
  fresh: false,
  location: "/here",
};
const wal: NodeWal = {
  walId: WAL,
  kind: "file",
  location: "/here",
  epoch: 2,
  trim: 700,
  state: "active",
};
const otherWal: NodeWal = { ...wal, walId: OTHER_WAL, location: "/there" };

function node(nodeId: string, wals: readonly NodeWal[], change: Partial<NodeRow> = {}): NodeFacts {
  return {
    nodeId,
    row: { epoch: 5, state: { tag: "open" }, wals, lastTx: id("f"), decidedSeq: 9, ...change },
  };
}

test("a first start creates the node", () => {
  const decision = decideOpen({ ...claim, fresh: true, epoch: 1 }, [], undefined);
  assert.ok(decision.tag === "start");
  assert.equal(decision.mode, "recover");
  assert.equal(decision.trim, 0);
  assert.deepEqual(decision.row, {
    epoch: 1,
    state: { tag: "open" },
    decidedSeq: 0,
    wals: [{ ...wal, epoch: 1, trim: 0 }],
  });
});

test("a restart raises the epoch and keeps the trim", () => {
  const decision = decideOpen(claim, [node(OWN, [wal])], undefined);
  assert.ok(decision.tag === "start");
  assert.equal(decision.mode, "recover");
  assert.equal(decision.trim, 700);
  assert.equal(decision.row.epoch, 6);
  assert.deepEqual(decision.row.wals, [{ ...wal, epoch: 3 }]);
});

test("a WAL that is recorded as drained, or unknown and not fresh, is looked into first", () => {
  const drained = decideOpen(
    claim,
    [node(OWN, [{ ...wal, state: "drained" }], { state: { tag: "closed" } })],
    undefined,
  );
  const unknown = decideOpen(claim, [], undefined);
  for (const decision of [drained, unknown])
    assert.ok(decision.tag === "start" && decision.mode === "probe");
});

test.each([
  ["of the same node, but not one of its WALs", node(OWN, [otherWal])],
  [
    "of a node that is being taken over",
    node(OWN, [wal], { state: { tag: "recovering", by: OTHER } }),
  ],
  ["that is sealed", node(OWN, [{ ...wal, state: "sealed" }])],
  ["that is an old copy", node(OWN, [{ ...wal, epoch: 3 }])],
])("a WAL %s is refused", (_, own) => {
  const decision = decideOpen(claim, [own], undefined);
  assert.ok(decision.tag === "refuse");
  assert.equal(decision.code, "WAL_STALE");
  assert.match(decision.message, /\/here/);
});

test("another node's file WAL is refused with its node, id and place, unless it is given up", () => {
  const nodes = [node(OTHER, [otherWal])];
  const refused = decideOpen({ ...claim, fresh: true }, nodes, undefined);
  assert.ok(refused.tag === "refuse");
  assert.equal(refused.code, "WAL_UNAVAILABLE");
  for (const part of [OTHER, OTHER_WAL, "/there", "/here"])
    assert.ok(refused.message.includes(part), part);
  assert.equal(decideOpen(claim, nodes, WAL).tag, "refuse");

  const accepted = decideOpen({ ...claim, fresh: true }, nodes, OTHER_WAL);
  assert.ok(accepted.tag === "start");
  assert.deepEqual(accepted.abandon, [{ nodeId: OTHER, wals: [otherWal], reason: "accepted" }]);
});

test("a dead node's memory WAL is given up by itself", () => {
  const memoryWal: NodeWal = { ...otherWal, kind: "memory" };
  const decision = decideOpen({ ...claim, fresh: true }, [node(OTHER, [memoryWal])], undefined);
  assert.ok(decision.tag === "start");
  assert.deepEqual(decision.abandon, [{ nodeId: OTHER, wals: [memoryWal], reason: "memory" }]);
});

test("closed nodes are in nobody's way", () => {
  const decision = decideOpen(
    claim,
    [
      node(OWN, [wal]),
      node(OTHER, [{ ...otherWal, state: "drained" }], { state: { tag: "closed" } }),
    ],
    undefined,
  );
  assert.ok(decision.tag === "start");
  assert.deepEqual(decision.abandon, []);
});
