import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { LEDGER } from "../proof/ledger.ts";

/** What `scripts/kafka.mjs` starts. */
export interface KafkaProcess {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly version: string;
  stop(): Promise<void>;
}

interface KafkaScript {
  /** A sentence that says what has to be installed. */
  missingForKafka(): string | undefined;
  startKafka(options?: {
    readonly port?: number;
    readonly data?: string;
    readonly heapMb?: number;
    readonly config?: Readonly<Record<string, string | number>>;
  }): Promise<KafkaProcess>;
}

/** The script is no module of a package: it needs nothing but Node. */
export async function kafkaScript(): Promise<KafkaScript> {
  const path = join(dirname(LEDGER), "..", "scripts", "kafka.mjs");
  return (await import(pathToFileURL(path).href)) as KafkaScript;
}
