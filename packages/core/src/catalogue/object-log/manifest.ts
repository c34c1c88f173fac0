import type { Revision } from "../catalogue.ts";
import { isRowKey } from "../packed/key-coding.ts";
import { beginFrame, endFrame, type FrameKind, openFrame } from "../packed/frame.ts";
import { isId, type PackedReader } from "../packed/reader.ts";
import type { PackedWriter } from "../packed/writer.ts";
import { chunkKey, manifestKey } from "./object-keys.ts";

/** A chunk object, as a manifest names it: what is found there must agree in every number. */
export interface ChunkReference {
  /** Of the manifest that it was written for. */
  readonly ordinal: number;
  /** 32 random hex digits. */
  readonly id: string;
  readonly bytes: number;
  /** Of all its bytes; the last four are a CRC of the rest. */
  readonly crc: number;
}

export interface RowChunk extends ChunkReference {
  /** The chunk has all rows from here up to the next chunk's `from`; "" in the first. */
  readonly from: string;
  readonly rows: number;
}

/** A snapshot: the image at `revision`, in chunks. */
export interface Manifest {
  /** From 1, dense: each manifest is built on the one before it and shares chunks with that one alone. */
  readonly ordinal: number;
  readonly revision: Revision;
  /** Id of the entry that made the revision. */
  readonly entryId: string;
  /** The table of recent transactions. */
  readonly recent: ChunkReference;
  readonly chunks: readonly RowChunk[];
}

/** "KCSM". */
export const MANIFEST_FRAME: FrameKind = { magic: 0x4b43534d, version: 1, features: 0 };

const CHUNK_BYTES_MIN = 24;

/** Bytes that a snapshot takes to read. */
export function snapshotBytes(manifest: Manifest): number {
  return manifest.chunks.reduce((sum, chunk) => sum + chunk.bytes, manifest.recent.bytes);
}

/** Keys of all objects that a manifest needs. */
export function chunkKeys(manifest: Manifest): ReadonlySet<string> {
  return new Set([manifest.recent, ...manifest.chunks].map((chunk) => chunkKey(chunk)));
}

/**
 * ordinal varint, revision varint, entryId id, recent reference, count varint, then per chunk: reference, from text, rows varint.
 * A reference is ordinal varint, id, bytes varint, crc u32.
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const writer = beginFrame(MANIFEST_FRAME);
  writer.varint(manifest.ordinal);
  writer.varint(manifest.revision);
  writer.id(manifest.entryId);
  writeReference(writer, manifest.recent);
  writer.varint(manifest.chunks.length);
  for (const chunk of manifest.chunks) {
    writeReference(writer, chunk);
    writer.text(chunk.from);
    writer.varint(chunk.rows);
  }
  return endFrame(writer);
}

/** @throws KarstError `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`), naming the object. */
export function decodeManifest(bytes: Uint8Array, ordinal: number): Manifest {
  const reader = openFrame(MANIFEST_FRAME, bytes, manifestKey(ordinal));
  const found = reader.varint();
  if (found !== ordinal) throw reader.corrupt(`it says that it is manifest ${found}`);
  const revision = reader.varint() as Revision;
  const entryId = reader.id();
  const recent = readReference(reader, ordinal);
  const chunks = Array.from({ length: reader.count(CHUNK_BYTES_MIN) }, () =>
    readRowChunk(reader, ordinal),
  );
  reader.finish();
  for (const [i, chunk] of chunks.entries()) {
    const ordered =
      i === 0
        ? chunk.from === ""
        : isRowKey(chunk.from) && chunk.from > (chunks[i - 1] as RowChunk).from;
    if (!ordered) throw reader.corrupt(`chunk ${i} is out of order`);
  }
  return { ordinal, revision, entryId, recent, chunks };
}

function writeReference(writer: PackedWriter, chunk: ChunkReference): void {
  writer.varint(chunk.ordinal);
  writer.id(chunk.id);
  writer.varint(chunk.bytes);
  writer.u32(chunk.crc);
}

function readReference(reader: PackedReader, ordinal: number): ChunkReference {
  const chunk = {
    ordinal: reader.varint(),
    id: reader.id(),
    bytes: reader.varint(),
    crc: reader.u32(),
  };
  if (chunk.ordinal < 1 || chunk.ordinal > ordinal || !isId(chunk.id))
    throw reader.corrupt("an impossible chunk");
  return chunk;
}

function readRowChunk(reader: PackedReader, ordinal: number): RowChunk {
  return { ...readReference(reader, ordinal), from: reader.text(), rows: reader.varint() };
}
