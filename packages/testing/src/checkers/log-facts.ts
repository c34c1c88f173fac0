import type {
  AppendOperation,
  InitialLog,
  LogOperation,
  ReadOperation,
  SeenBatch,
} from "./history.ts";
import { type LogAnomaly, logAnomaly } from "./log-anomaly.ts";

/** A batch that is in the log, for ever: acknowledged, or seen. */
export interface Fact {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly content: number;
  /** undefined: in the log before the history. */
  readonly append: AppendOperation | undefined;
  /** Who said so first. */
  readonly witness: LogOperation;
}

export interface LogFacts {
  /** By offset, without overlap. */
  readonly facts: readonly Fact[];
  /** Appends of unknown outcome that nobody saw. */
  readonly unseen: readonly AppendOperation[];
}

interface Entry {
  readonly append: AppendOperation;
  fact: Fact | undefined;
}

/**
 * Which batch is where, from what was acknowledged and what was read, whenever that was.
 *
 * @throws TypeError Two appends have the same content.
 */
export function collectFacts(
  operations: readonly LogOperation[],
  initial: InitialLog,
): LogFacts | LogAnomaly {
  const collector = new FactCollector(initial);
  const anomaly = collector.addAppends(operations) ?? collector.addReads(operations);
  return anomaly ?? collector.finish();
}

class FactCollector {
  readonly #initial: InitialLog;
  readonly #entries = new Map<number, Entry>();
  readonly #byBase = new Map<number, Fact>();

  constructor(initial: InitialLog) {
    this.#initial = initial;
  }

  addAppends(operations: readonly LogOperation[]): LogAnomaly | undefined {
    for (const operation of operations) {
      if (operation.kind !== "append") continue;
      const { content, outcome } = operation;
      if (this.#entries.has(content))
        throw new TypeError(`content ${content} was appended twice: it stands for one append`);
      const entry: Entry = { append: operation, fact: undefined };
      this.#entries.set(content, entry);
      if (
        outcome.tag === "conflict" &&
        outcome.tail === operation.ifOffset &&
        outcome.tail !== undefined
      )
        return logAnomaly("condition", [operation], `refused at ${outcome.tail}`);
      if (outcome.tag !== "ok") continue;
      const anomaly = this.#place(entry, outcome.baseOffset, outcome.endOffset, operation);
      if (anomaly !== undefined) return anomaly;
    }
    return undefined;
  }

  addReads(operations: readonly LogOperation[]): LogAnomaly | undefined {
    for (const operation of operations) {
      if (operation.kind !== "read" || operation.outcome.tag !== "ok") continue;
      const { batches } = operation.outcome;
      const anomaly = checkShape(operation, batches);
      if (anomaly !== undefined) return anomaly;
      for (const batch of batches) {
        const wrong = this.#see(operation, batch);
        if (wrong !== undefined) return wrong;
      }
    }
    return undefined;
  }

  finish(): LogFacts | LogAnomaly {
    const facts: Fact[] = [];
    for (const baseOffset of Float64Array.from(this.#byBase.keys()).sort())
      facts.push(this.#byBase.get(baseOffset) as Fact);
    for (let i = 1; i < facts.length; i += 1) {
      const [below, above] = [facts[i - 1] as Fact, facts[i] as Fact];
      if (below.endOffset > above.baseOffset) return overlapOf(below, above);
    }
    const unseen: AppendOperation[] = [];
    for (const { append, fact } of this.#entries.values())
      if (append.outcome.tag === "unknown" && fact === undefined) unseen.push(append);
    return { facts, unseen };
  }

  #see(read: ReadOperation, batch: SeenBatch): LogAnomaly | undefined {
    const { baseOffset, endOffset, content } = batch;
    const there = this.#byBase.get(baseOffset);
    if (there?.content === content && there.endOffset === endOffset) return undefined;
    const entry = this.#entries.get(content);
    const where = `${content} at [${baseOffset}, ${endOffset})`;
    if (entry === undefined && there?.content !== content) {
      if (endOffset > this.#initial.tail) return logAnomaly("phantom", [read], where);
      if (there !== undefined)
        return logAnomaly("inconsistent", [there.witness, read], `${where}, and ${there.content}`);
      this.#byBase.set(baseOffset, { ...batch, append: undefined, witness: read });
      return undefined;
    }
    const outcome = entry?.append.outcome.tag;
    if (outcome === "failed" || outcome === "conflict")
      return logAnomaly("aborted", [entry?.append, read], where);
    if (there !== undefined && there.content !== content)
      return logAnomaly("inconsistent", [there.witness, read], `${where}, and ${there.content}`);
    if (there !== undefined || entry === undefined)
      return logAnomaly("torn", [there?.witness, read], `${where}, else to ${there?.endOffset}`);
    if (entry.fact !== undefined)
      return logAnomaly(
        "duplicate",
        [entry.fact.witness, read],
        `${where} and at ${entry.fact.baseOffset}`,
      );
    return this.#place(entry, baseOffset, endOffset, read);
  }

  #place(
    entry: Entry,
    baseOffset: number,
    endOffset: number,
    witness: LogOperation,
  ): LogAnomaly | undefined {
    const { append } = entry;
    const where = `${append.content} at [${baseOffset}, ${endOffset})`;
    const there = this.#byBase.get(baseOffset);
    const fact: Fact = { baseOffset, endOffset, content: append.content, append, witness };
    if (there !== undefined) return overlapOf(there, fact);
    if (endOffset - baseOffset !== append.count)
      return logAnomaly("torn", [append, witness], `${where} has ${append.count} records`);
    if (append.ifOffset !== undefined && append.ifOffset !== baseOffset)
      return logAnomaly("condition", [append], `${where}, if at ${append.ifOffset}`);
    if (baseOffset < this.#initial.tail)
      return logAnomaly("overlap", [append, witness], `${where} was taken before the history`);
    entry.fact = fact;
    this.#byBase.set(baseOffset, fact);
    return undefined;
  }
}

function overlapOf(below: Fact, above: Fact): LogAnomaly {
  return logAnomaly(
    "overlap",
    [below.witness, above.witness],
    `[${below.baseOffset}, ${below.endOffset}) and [${above.baseOffset}, ${above.endOffset})`,
  );
}

/** One read by itself: from where it was asked, without a gap, not above its own tail. */
function checkShape(read: ReadOperation, batches: readonly SeenBatch[]): LogAnomaly | undefined {
  const { from, outcome } = read;
  const tail = outcome.tag === "ok" ? outcome.tail : undefined;
  let next = from;
  for (let i = 0; i < batches.length; i += 1) {
    const { baseOffset, endOffset } = batches[i] as SeenBatch;
    const follows = i === 0 ? baseOffset <= from && endOffset > from : baseOffset === next;
    if (!follows || endOffset <= baseOffset)
      return logAnomaly("discontiguous", [read], `${next}, then [${baseOffset}, ${endOffset})`);
    next = endOffset;
  }
  if (tail !== undefined && tail < next)
    return logAnomaly("above-tail", [read], `read up to ${next}, tail ${tail}`);
  return undefined;
}
