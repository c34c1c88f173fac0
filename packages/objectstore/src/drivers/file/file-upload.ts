import type { Files } from "@karst/runtime";
import { bodyParts } from "../../body.ts";
import { objectStoreError } from "../../errors.ts";
import { WRITE_PIECE_BYTES } from "../../limits.ts";
import { MultipartParts } from "../../multipart-parts.ts";
import type { CallOptions, MultipartUpload, ObjectBody } from "../../object-store.ts";
import { piecesOf } from "./pieces.ts";
import type { Pieces, TempFile, TempFiles } from "./temp-files.ts";

/** Runs a call inside the store. */
export type Call = <T>(
  what: string,
  options: CallOptions | undefined,
  call: () => Promise<T>,
) => Promise<T>;

/** An upload whose parts are temporary files, put together when it completes. */
export class FileUpload implements MultipartUpload {
  readonly #key: string;
  readonly #files: Files;
  readonly #temps: TempFiles;
  readonly #parts: MultipartParts<TempFile> = new MultipartParts();
  readonly #call: Call;
  readonly #publish: (pieces: Pieces, signal: AbortSignal | undefined) => Promise<void>;
  readonly #ended: (upload: FileUpload) => void;

  constructor(options: {
    readonly key: string;
    readonly files: Files;
    readonly temps: TempFiles;
    readonly call: Call;
    /** Makes the pieces the object. */
    readonly publish: (pieces: Pieces, signal: AbortSignal | undefined) => Promise<void>;
    /** Called once, when its files are gone. */
    readonly ended: (upload: FileUpload) => void;
  }) {
    this.#key = options.key;
    this.#files = options.files;
    this.#temps = options.temps;
    this.#call = options.call;
    this.#publish = options.publish;
    this.#ended = options.ended;
  }

  part(number: number, body: ObjectBody, options?: CallOptions): Promise<void> {
    return this.#call(`part ${number} of ${this.#key}`, options, () =>
      this.#parts.add(number, () =>
        this.#temps.write(piecesOf(bodyParts(body)), { sync: false, signal: options?.signal }),
      ),
    );
  }

  complete(options?: CallOptions): Promise<void> {
    return this.#call(`complete ${this.#key}`, options, async () => {
      const files: TempFile[] = [];
      await this.#parts.complete(async (parts) => {
        files.push(...parts);
        await this.#publish(this.#pieces(parts), options?.signal);
      });
      await this.#discard(files);
    });
  }

  abort(options?: CallOptions): Promise<void> {
    return this.#call(`abort ${this.#key}`, options, () => this.discard());
  }

  /** Ends the upload and removes its parts. */
  async discard(): Promise<void> {
    await this.#discard(this.#parts.end());
  }

  async #discard(parts: readonly TempFile[]): Promise<void> {
    for (const part of parts) await this.#temps.remove(part.path);
    this.#ended(this);
  }

  async *#pieces(parts: readonly TempFile[]): AsyncGenerator<Uint8Array, void, undefined> {
    const piece = new Uint8Array(WRITE_PIECE_BYTES);
    for (const part of parts) {
      const handle = await this.#files.open(part.path, "read");
      try {
        for (let at = 0; at < part.bytes;) {
          const read = await handle.read(
            piece.subarray(0, Math.min(piece.length, part.bytes - at)),
            at,
          );
          if (read === 0)
            throw objectStoreError(
              "UNAVAILABLE",
              `${part.path} ends at ${at} of ${part.bytes} bytes`,
            );
          yield piece.subarray(0, read);
          at += read;
        }
      } finally {
        await handle.close();
      }
    }
  }
}
