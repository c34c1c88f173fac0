import type { Counter, Gauge, Metrics } from "@karst/runtime";

/** What a catalogue counts: `karst_catalogue_<what>`. */
export interface CatalogueMetrics {
  readonly createdEntries: Counter;
  readonly readEntries: Counter;
  /** Slots that another writer had taken. */
  readonly lostSlots: Counter;
  /** Slots created while a newer snapshot appeared: it decides. */
  readonly doubtfulSlots: Counter;
  readonly committedTransactions: Counter;
  readonly conflictingTransactions: Counter;
  readonly unknownTransactions: Counter;
  readonly writtenSnapshots: Counter;
  /** Snapshots built for an ordinal that another builder had taken. */
  readonly lostSnapshots: Counter;
  readonly loadedSnapshots: Counter;
  readonly writtenChunks: Counter;
  readonly reusedChunks: Counter;
  readonly deletedObjects: Counter;
  readonly revision: Gauge;
}

export function catalogueMetrics(metrics: Metrics): CatalogueMetrics {
  const counter = (name: string): Counter => metrics.counter(`karst_catalogue_${name}`);
  return {
    createdEntries: counter("created_entries"),
    readEntries: counter("read_entries"),
    lostSlots: counter("lost_slots"),
    doubtfulSlots: counter("doubtful_slots"),
    committedTransactions: counter("committed_transactions"),
    conflictingTransactions: counter("conflicting_transactions"),
    unknownTransactions: counter("unknown_transactions"),
    writtenSnapshots: counter("written_snapshots"),
    lostSnapshots: counter("lost_snapshots"),
    loadedSnapshots: counter("loaded_snapshots"),
    writtenChunks: counter("written_chunks"),
    reusedChunks: counter("reused_chunks"),
    deletedObjects: counter("deleted_objects"),
    revision: metrics.gauge("karst_catalogue_revision"),
  };
}
