import { type Random, randomInteger } from "@karst/runtime";

/** The version of each request that a client speaks. */
export interface Dialect {
  readonly find: number;
  readonly join: number;
  readonly sync: number;
  readonly heartbeat: number;
  readonly commit: number;
  readonly fetch: number;
  readonly leave: number;
}

/** @param isStatic with an instance id, which the oldest versions do not have. */
export function drawDialect(random: Random, isStatic: boolean): Dialect {
  const from = (dynamic: number, fixed: number, max: number): number =>
    randomInteger(random, isStatic ? fixed : dynamic, max);
  return {
    find: from(0, 0, 6),
    join: from(0, 5, 9),
    sync: from(0, 3, 5),
    heartbeat: from(0, 3, 4),
    commit: from(2, 7, 10),
    fetch: from(1, 1, 10),
    leave: from(0, 3, 5),
  };
}
