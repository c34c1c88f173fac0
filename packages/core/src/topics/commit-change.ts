import { isKarstError, type Random, randomId } from "@karst/runtime";
import type { Catalogue, Transaction } from "../catalogue/catalogue.ts";
import { coreError } from "../errors.ts";
import { TOPIC_COMMIT_TRIES_MAX } from "../limits.ts";

export type Change = Omit<Transaction, "id">;

/**
 * Commits what `plan` makes of the image, planning anew on the newest image as long as others' commits come in between. What it
 * refuses on an older image it is asked again on the newest.
 *
 * @param plan called at each try; undefined: nothing is left to do (an earlier try of unknown outcome has happened). May throw
 * KarstErrors.
 * @returns the change that was committed; undefined where `plan` said so.
 * @throws KarstError `CATALOGUE_BUSY` (`unavailable`): nothing happened. `COMMIT_UNKNOWN` (`indeterminate`). Whatever `plan` and
 * `Catalogue.commit` throw.
 */
export async function commitChange<Planned extends Change>(
  catalogue: Catalogue,
  random: Random,
  plan: () => Planned | undefined,
): Promise<Planned | undefined> {
  let unknown: { readonly cause: unknown } | undefined;
  for (let tries = 0; tries < TOPIC_COMMIT_TRIES_MAX; tries += 1) {
    // What a plan finds on the newest image is certain: an earlier try cannot happen any more once it was overtaken.
    const planned = tries === 0 ? await planOrLookAgain(catalogue, plan) : plan();
    if (planned === undefined) return undefined;
    try {
      const { require, put, delete: deleted } = planned;
      const outcome = await catalogue.commit({
        id: randomId(random),
        require,
        put,
        delete: deleted,
      });
      if (outcome.tag === "ok") return planned;
      if (outcome.tag === "unknown") unknown = outcome;
      await catalogue.refresh();
    } catch (error) {
      // Not done, or not known, this time: an earlier try may have been.
      if (unknown === undefined) throw error;
      throw coreError("COMMIT_UNKNOWN", "the change may have happened", error);
    }
  }
  if (unknown !== undefined)
    throw coreError("COMMIT_UNKNOWN", "the change may have happened", unknown.cause);
  throw coreError("CATALOGUE_BUSY", `the change was overtaken ${TOPIC_COMMIT_TRIES_MAX} times`);
}

async function planOrLookAgain<Planned>(
  catalogue: Catalogue,
  plan: () => Planned,
): Promise<Planned> {
  try {
    return plan();
  } catch (error) {
    if (!isKarstError(error)) throw error;
    await catalogue.refresh();
    return plan();
  }
}
