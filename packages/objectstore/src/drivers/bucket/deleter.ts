import { isKarstError } from "@karst/runtime";
import { objectStoreError } from "../../errors.ts";
import { DELETE_KEYS_MAX, DELETES_AT_ONCE } from "../../limits.ts";
import { checkRemoved } from "./own-answer.ts";
import type { Requests } from "./requests.ts";

/** Codes of servers that do not delete many with one request, or not as the SDK asks for it. */
const NO_MULTI_DELETE =
  /\b(400|405|411|415|501) (MissingContentMD5|InvalidRequest|NotImplemented|MethodNotAllowed|MissingContentLength|InvalidDigest|InvalidArgument|MalformedXML|\(no S3 error\))/;

/**
 * Removes keys, a thousand with a request, one by one where the server does not do that.
 *
 * Invariant: `#single` once the server has refused a request to delete many; it is not asked again.
 */
export class Deleter {
  readonly #requests: Requests;
  #single = false;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** @throws KarstError `UNAVAILABLE`, `STORE_REFUSED`: certainly none was removed; `UNKNOWN_OUTCOME`. */
  async delete(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    let removed = 0;
    try {
      for (let at = 0; at < keys.length; at += DELETE_KEYS_MAX) {
        const batch = keys.slice(at, at + DELETE_KEYS_MAX);
        if (batch.length === 1 || this.#single || !(await this.#many(batch, signal)))
          await this.#each(batch, signal);
        removed += batch.length;
      }
    } catch (error) {
      if (removed === 0 || !isKarstError(error, "unavailable")) throw error;
      throw objectStoreError("UNKNOWN_OUTCOME", `${removed} of ${keys.length} are gone`, error);
    }
  }

  /** @returns false where the server refuses such requests. */
  async #many(keys: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
    const name = `delete of ${keys.length} from ${keys[0]}`;
    const reply = await this.#requests.ask({ name, effect: "write", signal }, (calls, exchange) =>
      calls.deleteMany(exchange, keys),
    );
    if (reply.tag === "failed") {
      if (!NO_MULTI_DELETE.test(reply.error.message)) throw reply.error;
      this.#single = true;
      return false;
    }
    const left = reply.value.filter((code) => code !== "NoSuchKey");
    if (left.length === 0) return true;
    const codes = [...new Set(left)].join(", ");
    throw objectStoreError("UNKNOWN_OUTCOME", `${name}: ${left.length} are left, ${codes}`);
  }

  /** Removes what it can, a few at a time; what the first few that fail fail with counts. */
  async #each(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (let at = 0; at < keys.length; at += DELETES_AT_ONCE) {
      const some = keys.slice(at, at + DELETES_AT_ONCE);
      const failures: unknown[] = [];
      for (const one of await Promise.allSettled(some.map((key) => this.#one(key, signal))))
        if (one.status === "rejected") failures.push(one.reason);
      if (failures.length === 0) continue;
      const certain = failures.every((error) => isKarstError(error, "unavailable"));
      if (certain && (at > 0 || failures.length < some.length))
        throw objectStoreError("UNKNOWN_OUTCOME", "some of the keys are gone", failures[0]);
      throw failures.find((error) => isKarstError(error, "indeterminate")) ?? failures[0];
    }
  }

  async #one(key: string, signal: AbortSignal | undefined): Promise<void> {
    const kind = { name: `delete of ${key}`, effect: "write", signal } as const;
    const reply = await this.#requests.ask(kind, async (calls, exchange) => {
      await calls.deleteOne(exchange, key);
      checkRemoved(exchange);
    });
    if (reply.tag === "failed" && reply.verdict !== "no-key") throw reply.error;
  }
}
