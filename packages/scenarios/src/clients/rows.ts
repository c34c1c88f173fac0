import { once } from "node:events";
import { createInterface } from "node:readline";
import { spawn } from "node:child_process";
import type { Client, Launch } from "./client.ts";
import { codecStory, type CodecStoryRow } from "./codec-story.ts";
import type { DriverEvent } from "./events.ts";
import { groupStory, type GroupStoryResult } from "./group-story.ts";

const VERSION_TIMEOUT_MS = 60_000;

/** What came of one client. */
export type Row =
  | {
      readonly tag: "missing";
      readonly client: string;
      readonly language: string;
      readonly why: string;
    }
  | {
      readonly tag: "run";
      readonly client: string;
      readonly language: string;
      readonly version: string;
      readonly library: string;
      readonly groups: readonly GroupRow[];
      readonly codecs: CodecStoryRow;
      readonly failures: readonly string[];
    };

/** A group whose members divide partitions in this way. */
export interface GroupRow {
  readonly assignor: string;
  readonly result?: GroupStoryResult;
}

export interface RowsOptions {
  readonly clients: readonly Client[];
  readonly bootstrap: string;
  /** Begins every name, so that one broker can be asked again. */
  readonly name: string;
  readonly onProgress?: (sentence: string) => void;
}

/** Runs every client that the machine has the tools for; what one of them does wrong is in its row. */
export async function runRows(options: RowsOptions): Promise<readonly Row[]> {
  const { clients, bootstrap, name } = options;
  const say = options.onProgress ?? (() => undefined);
  const ready: { readonly client: Client; readonly launch: Launch }[] = [];
  const missing: Row[] = [];
  for (const client of clients) {
    const why = client.missing();
    if (why !== undefined) {
      say(`${client.name}: ${why}`);
      missing.push({ tag: "missing", client: client.name, language: client.language, why });
      continue;
    }
    say(`${client.name}: preparing`);
    ready.push({ client, launch: await client.prepare() });
  }

  say("codecs");
  const codecs = await codecStory({ clients: ready, bootstrap, name: `${name}-codecs` });
  const rows: Row[] = [...missing];
  for (const [at, { client, launch }] of ready.entries()) {
    const { groups, failures } = await runGroups(client, launch, options);
    const codecRow = codecs[at] as CodecStoryRow;
    const { version, library } = await versionOf(launch);
    rows.push({
      tag: "run",
      client: client.name,
      language: client.language,
      version,
      library,
      groups,
      codecs: codecRow,
      failures: [...failures, ...codecRow.failures],
    });
  }
  const order = (row: Row): number => clients.findIndex((client) => client.name === row.client);
  return rows.sort((a, b) => order(a) - order(b));
}

async function runGroups(
  client: Client,
  launch: Launch,
  { bootstrap, name, onProgress: say = () => undefined }: RowsOptions,
): Promise<{ readonly groups: readonly GroupRow[]; readonly failures: readonly string[] }> {
  const groups: GroupRow[] = [];
  const failures: string[] = [];
  for (const assignor of client.assignors) {
    say(`${client.name}: a group (${assignor})`);
    const topic = `${name}-${client.name}-${assignor}`.replaceAll(/[^\w-]/g, "");
    try {
      const result = await groupStory({ client, launch, assignor, bootstrap, name: topic });
      groups.push({ assignor, result });
    } catch (error) {
      groups.push({ assignor });
      failures.push(`a group (${assignor}): ${(error as Error).message}`);
    }
  }
  return { groups, failures };
}

async function versionOf(
  launch: Launch,
): Promise<{ readonly version: string; readonly library: string }> {
  const child = spawn(launch.command, [...launch.args, "version"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...launch.env },
    timeout: VERSION_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const closed = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as DriverEvent;
    if (event.event !== "version") continue;
    await closed;
    return { version: event.client.replace(/^v/, ""), library: event.library };
  }
  throw new Error(`${launch.command} has not said its version`);
}
