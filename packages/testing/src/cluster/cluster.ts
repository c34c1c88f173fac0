import assert from "node:assert/strict";
import { nodeRow } from "@karst/core";
import type { FaultyObjectStore } from "@karst/objectstore";
import { isKarstError, randomInteger } from "@karst/runtime";
import { chance } from "../world/draw.ts";
import type { OpenLog } from "../log/open-log.ts";
import type { Surroundings } from "../world/machine.ts";
import type { Outcome } from "../world/outcome.ts";
import type { Invariants } from "../world/invariants.ts";
import { WalWatch } from "../world/wal-watch.ts";
import { World, type WorldOptions } from "../world/world.ts";
import { Auditor } from "./auditor.ts";
import type { Clerk } from "./clerk.ts";
import type { ClusterLog } from "./cluster-log.ts";
import { ImageChain } from "./image-chain.ts";
import { type Node, openNode } from "./node.ts";
import { findFirst, readOn } from "./reading.ts";
import { checkHeritage, checkOpening, checkTaking } from "./rules.ts";
import { TopicBook } from "./topic-book.ts";

/** Older processes that go on, of all machines. */
const GHOSTS_MAX = 3;
/** Openings that may fail before faults are made to stop, and before that is a defect. */
const TRIES_UNHEALED = 4;
const TRIES_MAX = 12;

/** What is known of a machine beside its disk. */
interface Seat {
  /** The process that opened its node last. */
  node: Node | undefined;
  /** Of the last claim of its WAL. */
  nodeId: string | undefined;
  /** Number of the last process that was begun here to open the node. */
  latest: number;
  /** Openings under way. */
  opening: readonly Surroundings[];
  readonly watch: WalWatch;
}

/** Several machines over one root, against models of what they must show. Whatever goes wrong throws. */
export class Cluster {
  readonly world: World;
  /** As everybody reaches it. */
  readonly store: FaultyObjectStore;
  /** Of each object, requests still to be left alone: a reader that is answered wrongly twice in a row must take it for corrupt. */
  readonly unspoiled: Map<string, number> = new Map();
  readonly chain: ImageChain;
  readonly seats: readonly Seat[];
  readonly topics: TopicBook;
  readonly clerks: Clerk[] = [];
  #ghosts: Node[] = [];
  #auditor: Auditor | undefined;
  #serial = 0;
  readonly #producerIds = new Set<number>();
  /** Processes that were begun while another one of their machine opened: that may have claimed later. */
  readonly #raced = new Set<number>();
  readonly #invariants: Invariants;
  /** What was found wrong while nobody waited for it. */
  #failure: unknown;

  constructor(options: WorldOptions) {
    this.world = new World(options);
    assert.ok(this.world.faulty !== undefined, "a cluster shares its store");
    this.store = this.world.faulty;
    const { invariants, sometimes } = this.world;
    this.#invariants = invariants;
    this.chain = new ImageChain(invariants);
    this.topics = new TopicBook(invariants, sometimes, this.world.random);
    this.seats = this.world.machines.map((machine) => ({
      node: undefined,
      nodeId: undefined,
      latest: 0,
      opening: [],
      watch: new WalWatch(machine, invariants, sometimes),
    }));
  }

  async begin(): Promise<void> {
    const { bucket, clock, invariants, machine } = this.world;
    // Of no process: it is not ended by any crash.
    const { runtime } = machine.surroundings();
    this.#auditor = await clock.runUntil(Auditor.open(bucket, runtime, invariants));
  }

  get auditor(): Auditor {
    assert.ok(this.#auditor !== undefined, "not begun");
    return this.#auditor;
  }

  /** Processes that work, and have their nodes. */
  get nodes(): readonly Node[] {
    return this.seats.flatMap(({ node }) => (node?.isWell === true ? [node] : []));
  }

  /** Processes that go on without their nodes. */
  get ghosts(): readonly Node[] {
    return this.#ghosts.filter(({ process }) => !process.life.isOver);
  }

  /** Partitions that are there, as far as is known. */
  get logs(): readonly ClusterLog[] {
    return this.topics.logs;
  }

  /** Looks at the root as it is, and at everybody's image. */
  async audit(whole = false): Promise<void> {
    const { auditor } = this;
    await this.world.clock.runUntil(whole ? auditor.lookAtAll() : auditor.look());
    this.chain.check("the auditor", auditor.catalogue);
    for (const { logs } of this.topics.learn(auditor.catalogue)) {
      if (this.nodes.some((node) => logs.some((log) => node.logs.has(log))))
        this.world.sometimes.add("deleted-while-open");
    }
  }

  /** Opens a machine's node in one more process, beside whatever runs there. undefined: it did not come to that. */
  async open(machine: number): Promise<Node | undefined> {
    await this.audit();
    const before = this.auditor.openNodes;
    const { life, opening } = this.begins(machine);
    const outcome = await this.world.until(life, opening);
    await this.audit();
    const after = this.auditor.openNodes;
    checkOpening(this.world, this.seat(machine).nodeId, outcome, { before, after });
    return this.adopt(machine, outcome);
  }

  /** Opens the nodes of machines at once. */
  async openAll(machines: readonly number[]): Promise<void> {
    const begun = machines.map((machine) => ({ machine, ...this.begins(machine) }));
    const outcomes: { readonly machine: number; readonly outcome: Outcome<Node> }[] = [];
    for (const { machine, life, opening } of begun)
      outcomes.push({ machine, outcome: await this.world.until(life, opening) });
    for (const { machine, outcome } of outcomes) await this.adopt(machine, outcome);
    if (this.nodes.length > 1) this.world.sometimes.add("several-nodes");
  }

  /** The beginning of one more process. @param stallMs for so long its device stands still when it has claimed its WAL. */
  begins(
    machine: number,
    stallMs: number = 0,
  ): {
    readonly life: Node["process"]["life"];
    readonly opening: Promise<Node>;
    /** It has claimed its WAL; or it never will. */
    readonly claimed: Promise<void>;
  } {
    const seat = this.seat(machine);
    const place = this.world.machines[machine];
    assert.ok(place !== undefined);
    const stall = { ms: 0 };
    const surroundings = { ...place.surroundings(), ...(stallMs > 0 && { stall }) };
    const { life, number } = surroundings;
    seat.latest = number;
    seat.opening = seat.opening.filter((one) => !one.life.isOver);
    if (seat.opening.length > 0) this.#raced.add(number);
    seat.opening = [...seat.opening, surroundings];
    let claim = (): void => undefined;
    const hasClaimed = new Promise<void>((resolve) => {
      claim = resolve;
    });
    const opening = openNode(machine, surroundings, seat.watch, (nodeId) => {
      seat.nodeId = nodeId;
      stall.ms = stallMs;
      claim();
    });
    const ended = (): void => {
      seat.opening = seat.opening.filter((one) => one !== surroundings);
    };
    opening.then(ended, ended);
    return {
      life,
      opening,
      claimed: Promise.race([hasClaimed, opening.then(ended, ended), life.over]),
    };
  }

  /** Takes over what an opening came to. */
  async adopt(machine: number, outcome: Outcome<Node>): Promise<Node | undefined> {
    const { sometimes } = this.world;
    this.note(`open m${machine}`, outcome);
    if (outcome.tag === "died") sometimes.add("opening-crashed");
    if (outcome.tag === "failed") checkOpenError(this.#invariants, outcome.error);
    if (outcome.tag !== "ok") return undefined;
    const node = outcome.value;
    this.#checkRecord(node);
    const seat = this.seat(machine);
    const before = seat.node;
    if (before !== undefined) {
      before.observe();
      if (before.state === "serving") {
        before.state = "fenced";
        before.process.isFenced = true;
      }
      this.#haunts(before);
    }
    seat.node = node;
    sometimes.add("node-opened");
    // What its predecessor left is known once it was read.
    for (const log of this.logs) {
      if (log.holder !== before || before === undefined || before.state === "closed") continue;
      if (!node.isWell) break;
      await this.take(log, node);
    }
    return node;
  }

  /** Its node's record was written by itself, or by a later claim of its WAL. */
  #checkRecord({ name, nodeId, walEpoch, process }: Node): void {
    const row = nodeRow.get(process.engine.catalogue, nodeId)?.value;
    const recorded = Math.max(0, ...(row?.wals ?? []).map(({ epoch }) => epoch));
    this.#invariants.check(
      "F2",
      recorded >= walEpoch,
      () => `${name} is open by claim ${walEpoch}, and its node's record has claim ${recorded}`,
    );
  }

  /** One more process that has lost its node. */
  #haunts(node: Node): void {
    this.#ghosts = [...this.ghosts, node];
    for (const old of this.#ghosts.splice(0, Math.max(0, this.#ghosts.length - GHOSTS_MAX)))
      old.process.life.end();
  }

  /** Opens a log on a node, exactly when the rules say so, and reads all of it; undefined: it does not have it. */
  async take(log: ClusterLog, node: Node): Promise<OpenLog | undefined> {
    if (log.holder === node && node.logs.has(log)) return node.log(log);
    await this.audit();
    const before = this.auditor.mayTake(log.streamId, node.nodeId);
    const owner = this.auditor.ownerOf(log.streamId);
    const outcome = await this.world.until(node.process.life, node.take(log));
    await this.audit();
    const after = this.auditor.mayTake(log.streamId, node.nodeId);
    this.note(`take ${log.model.name} on m${node.machine}`, outcome);
    const isKept = this.auditor.isOpen(owner);
    checkTaking(this.world, log, node, outcome, { before, after, isKept });
    if (outcome.tag !== "ok" || log.topic.state !== "there") return undefined;
    const last = log.holder;
    if (last !== undefined) last.observe();
    log.holder = node;
    if (chance(this.world.random, 30))
      await findFirst(this, log, node, randomInteger(this.world.random, 0, 7) / 8);
    if (!(await readOn(this, log, node))) return undefined;
    log.model.surveyed(outcome.value);
    if (last !== undefined && last !== node) {
      checkHeritage(this.world, this.logs, last);
      const survivors = last.process.attempts.filter(
        (attempt) => attempt.log === log.model && attempt.tag === "fact",
      );
      if (last.machine !== node.machine)
        this.world.sometimes.add("read-on-another-machine", survivors.length);
    }
    return outcome.value;
  }

  gotProducerId(id: number): void {
    this.#invariants.check("IP5", !this.#producerIds.has(id), `${id} was given twice`);
    this.#producerIds.add(id);
    this.world.sometimes.add("producer-id");
  }

  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  seat(machine: number): Seat {
    const seat = this.seats[machine];
    assert.ok(seat !== undefined, `there is no machine ${machine}`);
    return seat;
  }

  note(what: string, outcome: Outcome<unknown>): void {
    const why = outcome.tag === "failed" ? codeOf(outcome.error) : "";
    this.world.note(`${what} ${outcome.tag} ${why}`);
  }

  /** What it rejects with is a defect, found by the next `check`. */
  watch(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  /** After each step: nobody has found anything wrong, nobody says anything wrong. */
  check(): void {
    this.#invariants.rethrow();
    if (this.#failure !== undefined) throw this.#failure as Error;
    for (const clerk of this.clerks)
      if (!clerk.surroundings.life.isOver) this.chain.check("a clerk", clerk.catalogue);
    for (const node of [...this.seats.map((seat) => seat.node), ...this.ghosts]) {
      if (node === undefined || node.process.life.isOver) continue;
      node.observe();
      this.chain.check(node.name, node.process.engine.catalogue);
      // Only who was succeeded is fenced.
      const { failure } = node.process;
      this.#invariants.check(
        "O5",
        !isKarstError(failure, "fenced") || this.#isSucceeded(node),
        () => `${node.name} was not succeeded, and takes itself for fenced: ${String(failure)}`,
      );
    }
  }

  #isSucceeded(node: Node): boolean {
    const seat = this.seat(node.machine);
    const { number } = node.process;
    return (
      node.state !== "serving" ||
      seat.node !== node ||
      seat.latest > number ||
      this.#raced.has(number)
    );
  }

  /** A process that works on a machine: opened where there is none, if it may be. */
  async bringUp(machine: number): Promise<Node | undefined> {
    for (let tries = 0; ; tries += 1) {
      const { node } = this.seat(machine);
      if (node?.isWell === true) return node;
      if (node !== undefined) await this.discard(node);
      await this.audit();
      const own = this.seat(machine).nodeId;
      const { openNodes } = this.auditor;
      if (!openNodes.includes(own ?? "") && openNodes.length > 0) return undefined;
      this.#invariants.check("W12", tries < TRIES_MAX, `the node of m${machine} does not open`);
      if (tries >= TRIES_UNHEALED) this.world.heal();
      await this.open(machine);
    }
  }

  /** A process that works, on some machine: there is always one that may open. */
  async someNode(which: number): Promise<Node> {
    const { nodes } = this;
    if (nodes.length > 0) return nodes[which % nodes.length] as Node;
    for (const i of this.seats.keys()) {
      const node = await this.bringUp((which + i) % this.seats.length);
      if (node !== undefined) return node;
    }
    return this.#invariants.check("W12", false, "no machine may open its node") as never;
  }

  /** Who has a log, or a node that has taken it now; undefined: it could not. */
  async holderOf(log: ClusterLog, which: number): Promise<Node | undefined> {
    if (log.holder?.isWell === true) return log.holder;
    const node = await this.someNode(which);
    return (await this.take(log, node)) === undefined ? undefined : node;
  }

  /** The partition of a name, as far as there is one. */
  logOf(name: string, index: number): ClusterLog | undefined {
    const logs = this.logs.filter((log) => log.topic.name === name);
    return logs[index % Math.max(1, logs.length)];
  }

  /** Lets a failed process go: all its appends are settled. */
  async discard(node: Node): Promise<void> {
    const { process } = node;
    if (process.life.isOver) return;
    await this.world.clock.runDeferred();
    if (process.failure !== undefined) {
      this.world.sometimes.add("engine-failed");
      const { pending } = process;
      this.#invariants.check("W12", pending === 0, "the engine failed, and an append waits");
    }
    await this.world.until(process.life, process.engine.abandon());
    process.life.end();
  }
}

function codeOf(error: unknown): string {
  return isKarstError(error) ? error.code : String(error);
}

/** Whatever else an opening rejects with is a defect. */
function checkOpenError(invariants: Invariants, error: unknown): void {
  if (!isKarstError(error)) throw error as Error;
  const allowed = ["unavailable", "indeterminate", "closed", "fenced", "conflict"];
  invariants.check(
    "F7",
    allowed.includes(error.kind),
    () => `an opening ended with ${error.code}: ${error.message}`,
  );
}
