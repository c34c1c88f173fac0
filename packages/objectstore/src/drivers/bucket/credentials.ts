import type { BucketCredentials, BucketOptions } from "./settings.ts";

/** Time before their expiry at which credentials are asked for anew. */
const EARLY_MS = 5 * 60 * 1_000;

/**
 * The credentials in use, of a provider that may be slow: asked once for all who wait.
 *
 * Invariant: `#current` is what the provider gave last, unless it was forgotten since.
 */
export class Credentials {
  readonly #provider: () => Promise<BucketCredentials>;
  #current: BucketCredentials | undefined;
  #asking: Promise<BucketCredentials> | undefined;

  constructor(
    given: BucketOptions["credentials"],
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.#provider =
      given === undefined
        ? async () => fromEnvironment(environment)
        : typeof given === "function"
          ? given
          : async () => given;
  }

  async get(): Promise<BucketCredentials> {
    const { expiration } = this.#current ?? {};
    if (expiration !== undefined && expiration.getTime() - Date.now() < EARLY_MS) this.forget();
    if (this.#current !== undefined) return this.#current;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  forget(): void {
    this.#current = undefined;
  }

  async #ask(): Promise<BucketCredentials> {
    this.#current = await this.#provider();
    return this.#current;
  }
}

function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): BucketCredentials {
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"] ?? "";
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"] ?? "";
  const sessionToken = environment["AWS_SESSION_TOKEN"] ?? "";
  if (accessKeyId === "" || secretAccessKey === "")
    throw new Error("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  return sessionToken === ""
    ? { accessKeyId, secretAccessKey }
    : { accessKeyId, secretAccessKey, sessionToken };
}
