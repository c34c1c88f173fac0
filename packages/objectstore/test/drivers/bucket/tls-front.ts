import { type AddressInfo, connect } from "node:net";
import { createServer } from "node:tls";
import { CERTIFICATE, PRIVATE_KEY } from "./certificate.ts";

/** TLS before a server that speaks plain HTTP, and a fault between the two: a bit that flips. */
export interface TlsFront {
  readonly endpoint: string;
  /** What is damaged on its way to the server, each time; undefined: nothing. */
  damage: Uint8Array | undefined;
  /** Times that something was. */
  damaged: number;
  close(): Promise<void>;
}

export async function tlsFront(endpoint: string): Promise<TlsFront> {
  const { hostname, port } = new URL(endpoint);
  const server = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (client) => {
    const upstream = connect(Number(port), hostname);
    client.on("data", (chunk: Buffer) => {
      const at = front.damage === undefined ? -1 : chunk.indexOf(front.damage);
      if (at >= 0) {
        chunk.writeUInt8(chunk.readUInt8(at) ^ 1, at);
        front.damaged += 1;
      }
      upstream.write(chunk);
    });
    upstream.pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
    open.add(client);
    client.on("close", () => open.delete(client));
  });
  const open = new Set<{ destroy(): unknown }>();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const front: TlsFront = {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    damage: undefined,
    damaged: 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return front;
}
