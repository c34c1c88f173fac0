import { type Catalogue, counterRow, openCatalogue } from "@karst/core";
import { randomId, type Runtime } from "@karst/runtime";
import { MortalClock } from "../world/life.ts";
import type { Surroundings } from "../world/machine.ts";

/** Snapshots every few entries, so that old entries go while others still stand below them. */
const LIMITS = { snapshotEntriesMin: 4, snapshotEntriesMax: 12, snapshotEveryEntries: 4 } as const;

/** A process with a catalogue and nothing else: makes many small commits, and stands still for long. */
export class Clerk {
  readonly surroundings: Surroundings;
  readonly catalogue: Catalogue;
  readonly #runtime: Runtime;

  private constructor(surroundings: Surroundings, catalogue: Catalogue, runtime: Runtime) {
    this.surroundings = surroundings;
    this.catalogue = catalogue;
    this.#runtime = runtime;
  }

  static async open(surroundings: Surroundings): Promise<Clerk> {
    const { life, runtime: world, store: objectStore } = surroundings;
    const runtime = { ...world, clock: new MortalClock(world.clock, life) };
    const catalogue = await openCatalogue({ objectStore, runtime, limits: LIMITS });
    return new Clerk(surroundings, catalogue, runtime);
  }

  /** Takes one producer id; undefined: somebody else was faster, or nobody knows. */
  async takeProducerId(): Promise<number | undefined> {
    const row = counterRow.get(this.catalogue, "producer-ids");
    const first = row?.value.next ?? 0;
    const outcome = await this.catalogue.commit({
      id: randomId(this.#runtime.random),
      require: [counterRow.unchanged("producer-ids", row)],
      put: [counterRow.put("producer-ids", { next: first + 1 })],
      delete: [],
    });
    if (outcome.tag !== "ok") await this.catalogue.refresh();
    return outcome.tag === "ok" ? first : undefined;
  }
}
