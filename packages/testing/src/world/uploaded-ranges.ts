import { getInt64, viewOf } from "@karst/runtime";

const FOOTER_BYTES = 36;
const ENTRIES_AT = 12;
const ENTRY_BYTES = 60;
const END_AT = 16;
const KIND_AT = 56;
const DATA = 0;

/** Up to where an object has each stream's records, as docs/formats/object.md has it: the engine's own reader is not asked. */
export function uploadedRanges(
  object: Uint8Array,
): readonly { readonly streamId: number; readonly end: number }[] {
  const view = viewOf(object);
  const footerAt = object.length - FOOTER_BYTES;
  const count = view.getUint32(footerAt + ENTRIES_AT);
  const first = getInt64(view, footerAt);
  return Array.from({ length: count }, (_, i) => first + i * ENTRY_BYTES)
    .filter((at) => view.getUint8(at + KIND_AT) === DATA)
    .map((at) => ({ streamId: getInt64(view, at), end: getInt64(view, at + END_AT) }));
}
