import { protocolError } from "./errors.ts";

/** No uuid: what a field has that names nothing. */
export const ZERO_UUID: string = "00000000000000000000000000000000";

/** Index: a byte; value: its two hexadecimal digits. */
const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** Index: a character code; value: that digit's number, 255 for others. */
const numberOfDigit: Uint8Array = new Uint8Array(128).fill(255);
for (let digit = 0; digit < 16; digit += 1)
  numberOfDigit["0123456789abcdef".charCodeAt(digit)] = digit;

/** Whether `text` is 32 lower-case hexadecimal digits. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** The 16 bytes at `position`, as 32 lower-case hexadecimal digits. */
export function readUuid(bytes: Uint8Array, position: number): string {
  let text = "";
  for (let at = position; at < position + 16; at += 1)
    text += hexOfByte[bytes[at] as number] as string;
  return text;
}

/** @throws TypeError when `uuid` is not 32 lower-case hexadecimal digits. */
export function writeUuid(uuid: string, bytes: Uint8Array, position: number): void {
  let invalid = uuid.length === 32 ? 0 : 255;
  for (let i = 0; i < 16 && invalid !== 255; i += 1) {
    const high = numberOfDigit[uuid.charCodeAt(2 * i)] ?? 255;
    const low = numberOfDigit[uuid.charCodeAt(2 * i + 1)] ?? 255;
    invalid = high | low;
    bytes[position + i] = high * 16 + low;
  }
  if (invalid === 255)
    throw new TypeError(`"${uuid}" is not a uuid of 32 lower-case hexadecimal digits`);
}

/**
 * Kafka's text form: base64 in the URL alphabet without padding, 22 characters.
 *
 * @throws TypeError when `uuid` is not 32 lower-case hexadecimal digits.
 */
export function uuidToBase64(uuid: string): string {
  const bytes = new Uint8Array(16);
  writeUuid(uuid, bytes, 0);
  return btoa(String.fromCharCode(...bytes))
    .slice(0, 22)
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

/** @throws KarstError `MALFORMED_MESSAGE` (`corrupt`) when `text` is not the text form of a uuid. */
export function uuidFromBase64(text: string): string {
  if (/^[A-Za-z0-9_-]{21}[AQgw]$/.test(text)) {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return readUuid(
      Uint8Array.from(binary, (character) => character.charCodeAt(0)),
      0,
    );
  }
  throw protocolError("MALFORMED_MESSAGE", `"${text}" is not a uuid in base64`);
}
