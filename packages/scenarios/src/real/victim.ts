/*
 * The process that is killed: opens an engine, reads everything back, and appends until it dies. It keeps no record of what was
 * acknowledged: its parent does.
 */
import { isKarstError, silentLogger } from "@karst/runtime";
import { Seeded } from "../seeded.ts";
import {
  PARTITIONS,
  PRODUCER_IN_FLIGHT,
  type ProducerPlan,
  type SeenRecord,
  type Start,
  type Try,
} from "./protocol.ts";
import { report } from "./report.ts";
import { openTarget, type Target } from "./target.ts";
import { hashOf, idOf, valueOf } from "./values.ts";

/** Appends of those without a producer that wait for their answer, */
const PLAIN_IN_FLIGHT = 24;
/** and how many of them are made in one turn: while the WAL writes some, others come. */
const PLAIN_PER_TURN = 8;
const RECORDS_MAX = 5;
/** Records that a trim leaves, and how many more there are when it is called. */
const KEPT = 100;
const TRIM_EVERY = 60;
const SEEN_PER_REPORT = 200;
/** After a refusal. */
const PAUSE_MS = 5;
const FAILED_EXIT = 3;

interface LiveProducer {
  readonly index: number;
  readonly partition: number;
  readonly id: number;
  nextSequence: number;
  inFlight: number;
  again: readonly Try[];
  /** After a refusal it sends nothing more in this life: what follows would be out of order. */
  stopped: boolean;
}

class Victim {
  readonly #target: Target;
  readonly #random: Seeded;
  readonly #producers: readonly LiveProducer[];
  readonly #watermarks: number[];
  readonly #trimmed: number[];
  readonly #appendsMax: number;
  #nextId: number;
  #appends = 0;
  #plainInFlight = 0;
  #acks: (readonly [firstId: number, offset: number])[] = [];
  #scheduled = false;
  #trims: Promise<void> = Promise.resolve();
  #mayTrim = false;
  #ended: () => void = () => undefined;
  readonly ended: Promise<void>;

  constructor(target: Target, start: Start, producers: readonly LiveProducer[], ends: number[]) {
    this.#target = target;
    this.#random = new Seeded(start.seed);
    this.#producers = producers;
    this.#watermarks = ends;
    this.#trimmed = Array.from({ length: PARTITIONS }, () => 0);
    this.#appendsMax = start.appends ?? Infinity;
    this.#nextId = start.firstId;
    this.ended = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  allowTrims(): void {
    this.#mayTrim = true;
  }

  /** Tells what was acknowledged and what will be appended, then appends it. */
  turn(): void {
    const tries: Try[] = [];
    for (const producer of this.#producers) this.#fillProducer(producer, tries);
    const plain = Math.min(
      PLAIN_PER_TURN,
      PLAIN_IN_FLIGHT - this.#plainInFlight,
      this.#appendsMax - this.#appends,
    );
    for (let i = 0; i < plain; i += 1)
      tries.push(this.#draw(this.#random.integer(0, PARTITIONS - 1)));
    this.#plainInFlight += Math.max(0, plain);
    const acks = this.#acks;
    this.#acks = [];
    report(...(acks.length > 0 ? [{ tag: "acks", acks } as const] : []), { tag: "tries", tries });
    for (const each of tries) this.#append(each).catch(fail);
    if (this.#mayTrim) for (let p = 0; p < PARTITIONS; p += 1) this.#maybeTrim(p);
    if (plain > 0) this.#schedule();
    const idle = this.#plainInFlight === 0 && this.#producers.every((p) => p.inFlight === 0);
    if (idle) this.#trims.then(this.#ended, fail);
  }

  #fillProducer(producer: LiveProducer, tries: Try[]): void {
    if (producer.stopped) return;
    for (const each of producer.again) {
      producer.inFlight += 1;
      tries.push(each);
    }
    producer.again = [];
    while (producer.inFlight < PRODUCER_IN_FLIGHT && this.#appends < this.#appendsMax) {
      const { index, nextSequence: sequence } = producer;
      const drawn = { ...this.#draw(producer.partition), producer: { index, sequence } };
      producer.nextSequence += drawn.count;
      producer.inFlight += 1;
      tries.push(drawn);
    }
  }

  #draw(partition: number): Try {
    const count = this.#random.integer(1, RECORDS_MAX);
    const firstId = this.#nextId;
    this.#nextId += count;
    this.#appends += 1;
    return { firstId, count, partition };
  }

  async #append({ firstId, count, partition, producer }: Try): Promise<void> {
    const values = Array.from({ length: count }, (_, i) => valueOf(firstId + i));
    const live = producer && this.#producers.find(({ index }) => index === producer.index);
    const sender = live && producer && { id: live.id, sequence: producer.sequence };
    let pauseMs = 0;
    try {
      const offset = await this.#target.append(partition, values, sender);
      this.#acks.push([firstId, offset]);
      this.#watermarks[partition] = Math.max(this.#watermarks[partition] ?? 0, offset + count);
    } catch (error) {
      if (!isKarstError(error)) throw error;
      // Its fate is in doubt, or the engine has failed: it stays unanswered, and nothing more is sent.
      if (error.kind !== "unavailable" && error.kind !== "conflict") return;
      report({ tag: "refused", firstId, code: error.code });
      if (live !== undefined) live.stopped = true;
      pauseMs = PAUSE_MS;
    }
    if (live === undefined) this.#plainInFlight -= 1;
    else live.inFlight -= 1;
    this.#schedule(pauseMs);
  }

  #schedule(pauseMs = 0): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const run = (): void => {
      this.#scheduled = false;
      this.turn();
    };
    if (pauseMs === 0) setImmediate(run);
    else setTimeout(run, pauseMs);
  }

  #maybeTrim(partition: number): void {
    const before = (this.#watermarks[partition] ?? 0) - KEPT;
    if (before < (this.#trimmed[partition] ?? 0) + TRIM_EVERY) return;
    this.#trimmed[partition] = before;
    this.#trims = this.#trims.then(async () => {
      report({ tag: "trim", partition, before });
      await this.#target.trim(partition, before);
      report({ tag: "trimmed", partition, before });
    });
    this.#trims.catch(fail);
  }
}

async function readBack(
  target: Target,
  bounds: readonly { start: number; end: number }[],
): Promise<void> {
  for (const [partition, each] of bounds.entries()) {
    let records: SeenRecord[] = [];
    for await (const { offset, value } of target.read(partition, each)) {
      records.push([offset, idOf(value), hashOf(value)]);
      if (records.length < SEEN_PER_REPORT) continue;
      report({ tag: "seen", partition, records });
      records = [];
    }
    report({ tag: "seen", partition, records }, { tag: "seen-all", partition });
  }
}

async function revive(target: Target, plan: ProducerPlan): Promise<LiveProducer> {
  const { index, partition, nextSequence, unanswered: again } = plan;
  const id = plan.producerId ?? (await target.nextProducerId());
  if (plan.producerId === undefined) report({ tag: "producer", index, producerId: id });
  return { index, partition, id, nextSequence, inFlight: 0, again, stopped: false };
}

async function run(start: Start): Promise<void> {
  const target = await openTarget(start, {
    ...silentLogger,
    debug: (name) => report({ tag: "event", name }),
    info: (name) => report({ tag: "event", name }),
  });
  target.failed.then((error) => fail(error), fail);
  const bounds = await target.bounds();
  report({ tag: "opened", partitions: bounds });
  const producers: LiveProducer[] = [];
  for (const plan of start.producers) producers.push(await revive(target, plan));
  const victim = new Victim(
    target,
    start,
    producers,
    bounds.map(({ end }) => end),
  );
  // It appends while it reads: neither disturbs the other.
  const reading = readBack(target, bounds);
  victim.turn();
  await reading;
  victim.allowTrims();
  await victim.ended;
  await target.close();
  report({ tag: "closed" });
  process.exit(0);
}

/** As the engine has failed, or this program: nothing is acknowledged from here on. */
function fail(error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  report({ tag: "failed", reason });
  process.exit(FAILED_EXIT);
}

report({ tag: "ready" });
let input = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text: string) => {
  input += text;
  if (!input.endsWith("\n")) return;
  run(JSON.parse(input) as Start).catch(fail);
  input = "";
});
// Without a parent nobody keeps the book.
process.stdin.on("end", () => process.exit(0));
