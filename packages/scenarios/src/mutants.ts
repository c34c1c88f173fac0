import { ACK_BEFORE_WRITE } from "./mutants/canary.ts";
import { nodeArgsOf as argsOf } from "./mutants/node-args.ts";

/** A deliberate bug for runs with real kills: the text of a built file is changed as Node loads it. */
export type Mutant = "ack-before-sync";

/** Arguments of Node that make it load the mutant. */
export function nodeArgsOf(mutant: Mutant): string[] {
  const ids: Readonly<Record<Mutant, string>> = { "ack-before-sync": ACK_BEFORE_WRITE.id };
  return argsOf(ids[mutant]);
}
