import type { Lifecycle } from "../../lifecycle.ts";
import { MultipartParts } from "../../multipart-parts.ts";
import type { CallOptions, MultipartUpload, ObjectBody } from "../../object-store.ts";
import type { StoredPart, UploadId } from "./bucket-calls.ts";
import { checkRemoved } from "./own-answer.ts";
import { Payload } from "./payload.ts";
import type { Requests } from "./requests.ts";

/**
 * An upload in parts, which the server keeps.
 *
 * Invariant: `#ended` once the server has completed or aborted it, or knows it no more.
 */
export class BucketUpload implements MultipartUpload {
  readonly #parts: MultipartParts<StoredPart> = new MultipartParts();
  readonly #requests: Requests;
  readonly #lifecycle: Lifecycle;
  readonly #upload: UploadId;
  #ended = false;

  constructor(requests: Requests, lifecycle: Lifecycle, upload: UploadId) {
    this.#requests = requests;
    this.#lifecycle = lifecycle;
    this.#upload = upload;
  }

  part(number: number, body: ObjectBody, options?: CallOptions): Promise<void> {
    const { signal } = options ?? {};
    return this.#lifecycle.run(signal, () =>
      this.#parts.add(number, async () => {
        const payload = new Payload(body);
        const name = `part ${number} of ${this.#upload.key}`;
        const part = { upload: this.#upload, number, payload };
        return this.#requests.send({ name, effect: "write", signal }, (calls, exchange) =>
          calls.uploadPart(exchange, part),
        );
      }),
    );
  }

  /** An upload that the server no longer knows was completed by an earlier try, or aborted: `UNKNOWN_OUTCOME`. */
  complete(options?: CallOptions): Promise<void> {
    const { signal } = options ?? {};
    return this.#lifecycle.run(signal, () =>
      this.#parts.complete(async (parts) => {
        const name = `completion of ${this.#upload.key}`;
        await this.#requests.send({ name, effect: "write", signal }, (calls, exchange) =>
          calls.completeUpload(exchange, this.#upload, parts),
        );
        this.#ended = true;
      }),
    );
  }

  abort(options?: CallOptions): Promise<void> {
    const { signal } = options ?? {};
    return this.#lifecycle.run(signal, async () => {
      if (this.#ended) return;
      this.#parts.end();
      const name = `abort of ${this.#upload.key}`;
      const kind = { name, effect: "write", signal } as const;
      const reply = await this.#requests.ask(kind, async (calls, exchange) => {
        await calls.abortUpload(exchange, this.#upload);
        checkRemoved(exchange);
      });
      if (reply.tag === "failed" && reply.verdict !== "no-upload") throw reply.error;
      this.#ended = true;
    });
  }
}
