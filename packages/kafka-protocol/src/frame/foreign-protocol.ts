/** Lengths that are the first four bytes of something else: what a client sends that was pointed at the wrong port. */
const beginnings: ReadonlyMap<string, string> = new Map([
  ["GET ", "an HTTP request"],
  ["HEAD", "an HTTP request"],
  ["POST", "an HTTP request"],
  ["PUT ", "an HTTP request"],
  ["OPTI", "an HTTP request"],
  ["SSH-", "an SSH client"],
]);

/** For the end of a sentence on a bad length: what its bytes look like, or nothing. */
export function foreignProtocol(length: number): string {
  const bytes = [length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  // A TLS handshake record: type 22, major version 3.
  if (bytes[0] === 0x16 && bytes[1] === 0x03) return ": it looks like a TLS handshake";
  const found = beginnings.get(String.fromCharCode(...bytes));
  return found === undefined ? "" : `: it looks like ${found}`;
}
