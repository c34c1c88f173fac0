import { commits } from "./commits.ts";
import { outcomes } from "./outcomes.ts";
import { reads } from "./reads.ts";
import { type CatalogueWorld, OpenWorld } from "./world.ts";

export type { CatalogueFaults, CatalogueWorld } from "./world.ts";

export interface CatalogueConformanceOptions {
  /** A test runner's `test`: vitest's, `node:test`'s. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** A fresh world for each test: an empty place for one root. */
  readonly create: () => CatalogueWorld | Promise<CatalogueWorld>;
  /** Whether the worlds have faults. */
  readonly faults: boolean;
}

/** What every catalogue does, whatever it is made on, as tests. */
export function catalogueConformance({ test, create, faults }: CatalogueConformanceOptions): void {
  const cases = [...commits, ...reads, ...(faults ? outcomes : [])];
  for (const { name, run } of cases) {
    test(name, async () => {
      const world = new OpenWorld(await create());
      try {
        await run(world);
      } finally {
        await world.end();
      }
    });
  }
}
