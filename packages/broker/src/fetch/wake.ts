import type { PartitionLog } from "@karst/core";
import type { Clock } from "@karst/runtime";
import type { RequestContext } from "../handlers/handler.ts";

/** Waits for an advance of some logs. Made before they are read, so that none falls between reading and waiting. */
export class Wake {
  readonly #clock: Clock;
  readonly #unsubscribe: (() => void)[];
  #woken = false;
  #closed = false;
  #resolve: (() => void) | undefined;

  constructor(clock: Clock, context: RequestContext, logs: readonly PartitionLog[]) {
    this.#clock = clock;
    this.#unsubscribe = logs.map((log) => log.onAdvance(() => this.#wake()));
    this.#unsubscribe.push(
      context.onClosed(() => {
        this.#closed = true;
        this.#wake();
      }),
    );
  }

  /** Whether the connection has gone. */
  get closed(): boolean {
    return this.#closed;
  }

  async orAfter(delayMs: number): Promise<void> {
    if (this.#woken) return;
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
      const timer = this.#clock.setTimer(delayMs, resolve);
      this.#unsubscribe.push(() => timer.cancel());
    });
  }

  cancel(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
  }

  #wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }
}
