import type { IncomingHttpHeaders } from "node:http";

/** What came of a request, as far as it is known. */
export type Outcome =
  /** It was not given to a connection: it certainly had no effect. */
  | { readonly tag: "unsent" }
  /** Some of it may have been received. */
  | { readonly tag: "sent" }
  /** The server, or something before it, has answered; `body` only where the status is none of success. */
  | {
      readonly tag: "answered";
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: string;
    };

/**
 * One request, seen from below the SDK: what an SDK makes of an answer depends on the SDK, what was answered does not.
 *
 * Invariants: outcomes go forward, unsent → sent → answered; once the call has settled nothing of it is sent any more, so that its
 * body is the caller's again.
 */
export class Exchange {
  readonly signal: AbortSignal | undefined;
  #outcome: Outcome = { tag: "unsent" };
  /** What ended the connection, when something did. */
  #fault: Error | undefined;
  #cancelled = false;
  #settled = false;
  #release: (() => void) | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
  }

  get outcome(): Outcome {
    return this.#outcome;
  }

  get fault(): Error | undefined {
    return this.#fault;
  }

  /** Its caller has given it up. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Nothing may be sent any more. */
  get over(): boolean {
    return this.#settled || this.#cancelled || this.signal?.aborted === true;
  }

  /** @param release lets go of the connection, and of the body. */
  begun(release: () => void): void {
    this.#release = release;
  }

  settled(): void {
    this.#settled = true;
    this.#release?.();
  }

  sent(): void {
    if (this.#outcome.tag === "unsent") this.#outcome = { tag: "sent" };
  }

  answered(status: number, headers: IncomingHttpHeaders, body: string): void {
    this.#outcome = { tag: "answered", status, headers, body };
  }

  failed(fault: Error): void {
    this.#fault ??= fault;
  }

  /** Waits for the call, or until the signal aborts. */
  async race<T>(call: Promise<T>): Promise<T> {
    const { signal } = this;
    if (signal === undefined) return call;
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => {
        this.#cancelled = true;
        reject(asError(signal.reason));
      };
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
    try {
      return await Promise.race([call, aborted]);
    } finally {
      if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    }
  }
}

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
