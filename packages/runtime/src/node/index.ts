import type { Runtime } from "../runtime.ts";
import { noMetrics } from "../metrics.ts";
import { nodeClock } from "./clock.ts";
import { nodeFiles } from "./files.ts";
import { consoleLogger } from "./logger.ts";
import { nodeNet } from "./net.ts";
import { nodeRandom } from "./random.ts";

export { nodeBlockingFiles } from "./blocking-files.ts";
export { consoleLogger, type LoggerOptions, type LogLevel } from "./logger.ts";
export { nodeClock, nodeFiles, nodeNet, nodeRandom };

/** The process as a runtime. Parts that are given take the place of Node's; by default warnings and errors go to stderr. */
export function nodeRuntime(options: Partial<Runtime> = {}): Runtime {
  return {
    clock: options.clock ?? nodeClock,
    random: options.random ?? nodeRandom,
    files: options.files ?? nodeFiles,
    net: options.net ?? nodeNet,
    log: options.log ?? consoleLogger("warn"),
    metrics: options.metrics ?? noMetrics,
  };
}
