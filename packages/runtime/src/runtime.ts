import type { Clock } from "./clock.ts";
import type { Files } from "./files.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Net } from "./net.ts";
import type { Random } from "./random.ts";

/** Every effect the engine has on the world, so that a seed replays a run. Node's are `@karst/runtime/node`. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly net: Net;
  readonly log: Logger;
  readonly metrics: Metrics;
}
