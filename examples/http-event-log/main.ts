import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { open } from "karst";
import { eventLog } from "./service.ts";

const engine = await open({ root: process.env["KARST_ROOT"] ?? "file:./karst-data" });
const server = createServer(eventLog(engine.topic("events")));

server.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
console.log(`http://127.0.0.1:${port}/events`);

await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
const closed = once(server, "close");
server.close();
server.closeAllConnections();
await closed;
await engine.close();
