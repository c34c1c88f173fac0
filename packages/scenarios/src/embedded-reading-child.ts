import { isKarstError, open } from "karst";
import type { EmbeddedReading } from "./embedded-reading.ts";

const [root = "", topic = ""] = process.argv.slice(2);

async function reading(): Promise<EmbeddedReading> {
  let records = 0;
  try {
    const engine = await open({ root });
    try {
      for await (const _ of engine.topic(topic).read({ from: "earliest" })) records += 1;
      return { tag: "read", records };
    } finally {
      await engine.close();
    }
  } catch (error) {
    if (!isKarstError(error)) throw error;
    const { kind, code, message } = error;
    return { tag: "failed", records, kind, code, message };
  }
}

process.stdout.write(JSON.stringify(await reading()));
