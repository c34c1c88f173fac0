import { once } from "node:events";
import { createServer } from "node:http";
import { ownBroker } from "./broker.ts";

const broker = await ownBroker({ wal: "./own-broker/wal", objects: "./own-broker/objects" }, 9092);
const page = createServer((_request, response) => {
  response.setHeader("content-type", "text/plain; version=0.0.4");
  response.end(String(broker.metrics));
});
page.listen(9100, "127.0.0.1");
await once(page, "listening");
console.log(
  `Kafka on ${broker.kafka.host}:${broker.kafka.port}, metrics on http://127.0.0.1:9100/`,
);

const ended = await Promise.race([
  once(process, "SIGINT"),
  once(process, "SIGTERM"),
  broker.engine.failed,
]);
if (ended instanceof Error) console.error(ended.message);
page.close();
page.closeAllConnections();
await broker.close();
process.exitCode = ended instanceof Error ? 1 : 0;
