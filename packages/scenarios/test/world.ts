import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, hasKcat, Ledger, type Row, Server, vegaRows } from "../dist/index.js";

/** Reading back is kcat's part. */
export const kcatIsMissing: boolean = !hasKcat();

const rows = vegaRows();

/** Rows of the data set, by their ids. */
export function rowsOf(from: number, count: number): readonly Row[] {
  return rows.slice(from, from + count);
}

/** The limits of a test that is to cross them with a few hundred kilobytes, as arguments. */
export const SMALL: readonly string[] = [
  "--limit=firstSegmentBytes=262144",
  "--limit=segmentBytes=262144",
  "--limit=uploadBytes=65536",
];

/** A directory, and the processes over it. */
export class World {
  readonly directory: string;
  readonly data: string;
  readonly wal: string;
  readonly #servers: Server[] = [];
  readonly #ledgers: Ledger[] = [];

  constructor(directory: string) {
    this.directory = directory;
    this.data = join(directory, "data");
    this.wal = join(this.data, "wal");
  }

  /** A broker over `data`, unless `args` say otherwise, that listens. */
  async serve(args: readonly string[] = ["--data", this.data]): Promise<Server> {
    const server = new Server({ port: await freePort(), args });
    this.#servers.push(server);
    await server.start();
    return server;
  }

  async ledger(server: Server): Promise<Ledger> {
    const ledger = new Ledger();
    this.#ledgers.push(ledger);
    await ledger.connect(server.address);
    return ledger;
  }

  async end(): Promise<void> {
    for (const server of this.#servers) await server.end();
    for (const ledger of this.#ledgers) await ledger.disconnect().catch(() => undefined);
  }
}

/** Ends every process of a test; what it wrote stays where it failed. */
export async function inWorld(run: (world: World) => Promise<void>): Promise<void> {
  const world = new World(await mkdtemp(join(tmpdir(), "karst-scenario-")));
  try {
    await run(world);
  } finally {
    await world.end();
  }
  await rm(world.directory, { recursive: true, force: true });
}
