import { open } from "karst";

const engine = await open({ root: "file:./karst-data" });
const orders = engine.topic("orders");
const { partition, offset } = await orders.append({ key: "42", value: "hello" });
console.log(`durable at offset ${offset} of partition ${partition}`);
for await (const record of orders.read({ from: "earliest" })) {
  console.log(record.offset, record.text());
}
await engine.close();
