import type { WalKind } from "@karst/wal";
import type { PackedReader } from "../packed/reader.ts";
import type { PackedWriter } from "../packed/writer.ts";
import { formatId, ordinalOf, parseId, unsigned } from "./key-parts.ts";
import { defineRow, type RowKind } from "./row.ts";

export type NodeState =
  | { readonly tag: "open" }
  /** Another node uploads this one's tails. */
  | { readonly tag: "recovering"; readonly by: string }
  | { readonly tag: "closed" };

export interface NodeWal {
  /** 32 hex digits. */
  readonly walId: string;
  readonly kind: WalKind;
  /** Where it is, for messages. */
  readonly location: string;
  /** Of the claim that the node last recovered it under. */
  readonly epoch: number;
  /** `WalPosition` below which everything is in objects. */
  readonly trim: number;
  readonly state: "active" | "sealed" | "drained";
}

export interface NodeRow {
  /** Grows with each start of the node; fences all older ones. */
  readonly epoch: number;
  readonly state: NodeState;
  readonly wals: readonly NodeWal[];
  /** Id of the last transaction that rewrote this row: resolves unknown outcomes. 32 hex digits. */
  readonly lastTx: string;
  /** Objects of this node and epoch with a lower sequence are published or never will be. */
  readonly decidedSeq: number;
}

// Ordinals from 1, persisted: append only.
const STATES = ["open", "recovering", "closed"] as const;
const WAL_STATES = ["active", "sealed", "drained"] as const;
const WAL_KINDS: readonly WalKind[] = ["file", "memory", "object"];

/**
 * A node: rewritten by, and required by, every commit the node makes.
 *
 * Key: `nodes/<nodeId>`, 32 hex digits. Value: epoch varint, state u8, [by id], lastTx id, decidedSeq varint, count varint,
 * then per WAL: walId id, kind u8, location text, epoch varint, trim varint, state u8.
 */
export const nodeRow: RowKind<string, NodeRow> = defineRow({
  ordinal: 2,
  prefix: "nodes/",
  formatId,
  parseId,
  write: (writer, value) => {
    writer.varint(unsigned(value.epoch, "epoch"));
    writer.u8(ordinalOf(STATES, value.state.tag));
    if (value.state.tag === "recovering") writer.id(formatId(value.state.by));
    writer.id(formatId(value.lastTx));
    writer.varint(unsigned(value.decidedSeq, "decidedSeq"));
    writer.varint(value.wals.length);
    for (const wal of value.wals) writeWal(writer, wal);
  },
  read: (reader) => {
    const epoch = reader.varint();
    const state = readState(reader);
    const lastTx = reader.id();
    const decidedSeq = reader.varint();
    const wals = Array.from({ length: reader.count(21) }, () => readWal(reader));
    return { epoch, state, wals, lastTx, decidedSeq };
  },
});

function readState(reader: PackedReader): NodeState {
  const tag = reader.oneOf(STATES);
  return tag === "recovering" ? { tag, by: reader.id() } : { tag };
}

function writeWal(writer: PackedWriter, wal: NodeWal): void {
  writer.id(formatId(wal.walId));
  writer.u8(ordinalOf(WAL_KINDS, wal.kind));
  writer.text(wal.location);
  writer.varint(unsigned(wal.epoch, "epoch"));
  writer.varint(unsigned(wal.trim, "trim"));
  writer.u8(ordinalOf(WAL_STATES, wal.state));
}

function readWal(reader: PackedReader): NodeWal {
  return {
    walId: reader.id(),
    kind: reader.oneOf(WAL_KINDS),
    location: reader.text(),
    epoch: reader.varint(),
    trim: reader.varint(),
    state: reader.oneOf(WAL_STATES),
  };
}
