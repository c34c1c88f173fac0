/** Bytes of a minted id: 32 lower-case hex characters as text. */
export const ID_BYTES = 16;

/** @throws TypeError where `id` is not a minted id. */
export function idBytes(id: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/.test(id)) throw new TypeError(`"${id}" is not an id of 32 hex characters`);
  const bytes = new Uint8Array(ID_BYTES);
  for (let i = 0; i < ID_BYTES; i += 1) bytes[i] = Number.parseInt(id.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export function idOf(bytes: Uint8Array): string {
  let id = "";
  for (const byte of bytes) id += byte.toString(16).padStart(2, "0");
  return id;
}
