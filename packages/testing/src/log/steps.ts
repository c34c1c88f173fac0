export {
  append,
  appendIf,
  bump,
  find,
  flush,
  pass,
  produce,
  read,
  loseAhead,
  readAway,
  reopen,
  resend,
  stray,
  takeProducerIds,
  trim,
  trimTwice,
  upload,
} from "./load-steps.ts";
export { failNames, failSync, fill, outage, skew, unreliable } from "./fault-steps.ts";
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
