export {
  append,
  appendIf,
  bump,
  find,
  flush,
  pass,
  produce,
  reopen,
  resend,
  stray,
  takeProducerIds,
  trim,
  trimTwice,
  upload,
} from "./load-steps.ts";
export { badReads, calm, catchUp } from "./catch-up-steps.ts";
export { read, readAway } from "./read-steps.ts";
export { failNames, failSync, fill, outage, skew, squeeze, unreliable } from "./fault-steps.ts";
export {
  abandon,
  close,
  crash,
  crashAfter,
  endReading,
  haunt,
  race,
  supersede,
  zombie,
} from "./process-steps.ts";
export { passing } from "./topic-steps.ts";
export type { Step } from "./step.ts";
