import { BatchBuilder } from "@karst/records";
import { IDLE_BUILDERS_MAX, SHARED_BATCH_BYTES_MAX } from "../limits.ts";

/** The builders of one topic handle, kept from turn to turn: their memory has been written to before. */
export class BatchBuilders {
  readonly #idle: BatchBuilder[] = [];

  take(): BatchBuilder {
    return this.#idle.pop() ?? new BatchBuilder({ bytesMax: SHARED_BATCH_BYTES_MAX });
  }

  /** Takes back a builder that is empty. */
  giveBack(builder: BatchBuilder): void {
    if (this.#idle.length < IDLE_BUILDERS_MAX) this.#idle.push(builder);
  }
}
