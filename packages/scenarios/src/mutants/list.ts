import { ACK_BEFORE_WRITE, CANARY } from "./canary.ts";
import { cacheMutants } from "./caches.ts";
import { fencingMutants } from "./fencing.ts";
import { groupMutants } from "./groups.ts";
import type { Mutant } from "./mutant.ts";
import { objectMutants } from "./objects.ts";
import { partitionMutants } from "./partitions.ts";
import { platformMutants } from "./platform.ts";
import { producerMutants } from "./producers.ts";
import { walMutants } from "./wal.ts";

/** The planted bugs, all of which `npm test` lets through, and all of which the simulator must catch. */
export const MUTANTS: readonly Mutant[] = [
  ...walMutants,
  ...objectMutants,
  ...cacheMutants,
  ...fencingMutants,
  ...partitionMutants,
  ...groupMutants,
  ...producerMutants,
  ...platformMutants,
];

const ALL: readonly Mutant[] = [...MUTANTS, CANARY, ACK_BEFORE_WRITE];

export function mutantNamed(id: string): Mutant {
  const mutant = ALL.find((one) => one.id === id);
  if (mutant === undefined) throw new Error(`there is no mutant "${id}"`);
  return mutant;
}
