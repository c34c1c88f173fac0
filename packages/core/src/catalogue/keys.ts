import { counterRow } from "./rows/counter-row.ts";
import { nodeRow } from "./rows/node-row.ts";
import { objectRow } from "./rows/object-row.ts";
import { rootRow } from "./rows/root-row.ts";
import { stateStreamRow } from "./rows/state-stream-row.ts";
import { streamEndRow } from "./rows/stream-end-row.ts";
import { streamOwnerRow } from "./rows/stream-owner-row.ts";
import { streamStartRow } from "./rows/stream-start-row.ts";
import { topicRow } from "./rows/topic-row.ts";

/**
 * Every kind of key that a catalogue holds. Names, ordinals and prefixes are persisted and never reused.
 *
 * | kind | key | changed by |
 * | --- | --- | --- |
 * | root | `root` | creation of the root; upgrades |
 * | node | `nodes/<nodeId>` | every commit of that node; its recoverer |
 * | counter | `counters/<name>` | whoever takes numbers |
 * | topic | `topics/<topicId>` | admin calls |
 * | streamStart | `streams/start/<streamId>` | trims |
 * | streamEnd | `streams/end/<streamId>` | uploads of the owner |
 * | streamOwner | `streams/owner/<streamId>` | takeovers, moves, creation, deletion |
 * | object | `objects/<nodeId>/<nodeEpoch>/<sequence>` | uploads, compaction, dereferences |
 * | stateStream | `state-streams/<kind>` | the first use of a coordinator |
 */
export const CATALOGUE_ROWS: {
  readonly root: typeof rootRow;
  readonly node: typeof nodeRow;
  readonly counter: typeof counterRow;
  readonly topic: typeof topicRow;
  readonly streamStart: typeof streamStartRow;
  readonly streamEnd: typeof streamEndRow;
  readonly streamOwner: typeof streamOwnerRow;
  readonly object: typeof objectRow;
  readonly stateStream: typeof stateStreamRow;
} = {
  root: rootRow,
  node: nodeRow,
  counter: counterRow,
  topic: topicRow,
  streamStart: streamStartRow,
  streamEnd: streamEndRow,
  streamOwner: streamOwnerRow,
  object: objectRow,
  stateStream: stateStreamRow,
};

export type CatalogueRowKind = keyof typeof CATALOGUE_ROWS;

/** The kind of a key, or undefined for a key of no kind that this code knows. */
export function kindOfKey(key: string): CatalogueRowKind | undefined {
  for (const [kind, row] of Object.entries(CATALOGUE_ROWS)) {
    if (row.parseKey(key) !== undefined) return kind as CatalogueRowKind;
  }
  return undefined;
}
