import { KEY_LENGTH_MAX } from "../limits.ts";
import type { ObjectStore } from "../object-store.ts";
import { bodies } from "./bodies.ts";
import type { Case } from "./case.ts";
import { conditions } from "./conditions.ts";
import { deletes } from "./deletes.ts";
import { keys } from "./keys.ts";
import { lifecycle } from "./lifecycle.ts";
import { lists } from "./lists.ts";
import { multipart } from "./multipart.ts";
import { reads } from "./reads.ts";

export interface ConformanceOptions {
  /** A test runner's `test`: vitest's, `node:test`'s. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** A fresh, empty store for each test; the suite closes it. */
  readonly create: () => ObjectStore | Promise<ObjectStore>;
  /** Longest key, for stores below a prefix. Default 512. */
  readonly keyLengthMax?: number;
}

/**
 * What every object store does, as tests. Which of the optional abilities are tested follows the store's `capabilities`; one that
 * it says it lacks must be refused as `UNSUPPORTED`.
 */
export function objectStoreConformance({
  test,
  create,
  keyLengthMax = KEY_LENGTH_MAX,
}: ConformanceOptions): void {
  const cases: readonly Case[] = [
    ...bodies,
    ...conditions,
    ...reads,
    ...keys(keyLengthMax),
    ...lists,
    ...deletes,
    ...multipart,
    ...lifecycle,
  ];
  for (const { name, run } of cases) {
    test(name, async () => {
      const store = await create();
      try {
        await run(store);
      } finally {
        await store.close();
      }
    });
  }
}
