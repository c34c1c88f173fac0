/** `/127.0.0.1`: how Kafka shows the address of a client. */
export function hostOf(peer: string): string {
  const colon = peer.lastIndexOf(":");
  const host = colon < 0 ? peer : peer.slice(0, colon);
  return `/${host.replace(/^\[(.*)\]$/, "$1")}`;
}
