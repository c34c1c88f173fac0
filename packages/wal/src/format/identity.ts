import { crc32c, utf8DecodeStrict, utf8Encode, viewOf } from "@karst/runtime";
import { walError } from "../errors.ts";
import { idBytes, idOf } from "./id.ts";

/*
 * identity := magic:u32 version:u32 requiredFeatures:u32 state:u32 walId:16 nodeId:16 rootLength:u32 rootId:utf8 crc:u32
 * state    := 0 created | 1 opened | 2 destroyed                                                            big-endian
 */

const MAGIC = 0x4b57_4944; // "KWID"
const VERSION = 1;
const FIXED_BYTES = 52;
const CRC_BYTES = 4;
const ROOT_ID_BYTES_MAX = 1024;

const STATES = ["created", "opened", "destroyed"] as const;

/**
 * `created`: nothing was ever appended. `opened`: there must be segments. `destroyed`: drained, what is left is only to be removed.
 */
export type IdentityState = (typeof STATES)[number];

/** Whose WAL a directory holds. */
export interface Identity {
  readonly state: IdentityState;
  readonly walId: string;
  readonly nodeId: string;
  readonly rootId: string;
}

export function encodeIdentity(identity: Identity): Uint8Array {
  const root = utf8Encode(identity.rootId);
  if (root.length > ROOT_ID_BYTES_MAX)
    throw new TypeError(`a root id has at most ${ROOT_ID_BYTES_MAX} bytes`);
  const bytes = new Uint8Array(FIXED_BYTES + root.length + CRC_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC);
  view.setUint32(4, VERSION);
  view.setUint32(12, STATES.indexOf(identity.state));
  bytes.set(idBytes(identity.walId), 16);
  bytes.set(idBytes(identity.nodeId), 32);
  view.setUint32(48, root.length);
  bytes.set(root, FIXED_BYTES);
  view.setUint32(bytes.length - CRC_BYTES, crc32c(bytes.subarray(0, bytes.length - CRC_BYTES)));
  return bytes;
}

/** @throws KarstError `WAL_CORRUPT`, `WAL_VERSION` (`corrupt`) naming `file`. */
export function decodeIdentity(bytes: Uint8Array, file: string): Identity {
  const corrupt = (): Error =>
    walError("WAL_CORRUPT", `${file} is damaged: it does not say whose WAL this is`);
  if (bytes.length < FIXED_BYTES + CRC_BYTES) throw corrupt();
  const view = viewOf(bytes);
  if (view.getUint32(0) !== MAGIC) throw corrupt();
  const version = view.getUint32(4);
  if (version !== VERSION)
    throw walError("WAL_VERSION", `${file} has version ${version}; this Karst knows ${VERSION}`);
  if (
    view.getUint32(bytes.length - CRC_BYTES) !== crc32c(bytes.subarray(0, bytes.length - CRC_BYTES))
  )
    throw corrupt();
  const features = view.getUint32(8);
  if (features !== 0) {
    throw walError(
      "WAL_VERSION",
      `${file} requires features 0x${features.toString(16)} that this Karst does not know`,
    );
  }
  const state = STATES[view.getUint32(12)];
  const rootBytes = view.getUint32(48);
  if (state === undefined || FIXED_BYTES + rootBytes + CRC_BYTES !== bytes.length) throw corrupt();
  return {
    state,
    walId: idOf(bytes.subarray(16, 32)),
    nodeId: idOf(bytes.subarray(32, 48)),
    rootId: utf8DecodeStrict(bytes.subarray(FIXED_BYTES, FIXED_BYTES + rootBytes)),
  };
}
