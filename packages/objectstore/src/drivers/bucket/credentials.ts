import type { Clock } from "@karst/runtime";
import type { BucketCredentials, CredentialsProvider } from "./settings.ts";

/** Time before their expiry at which credentials are asked for anew. */
const EARLY_MS = 5 * 60 * 1_000;

/**
 * The credentials in use, of a provider that may be slow: asked once for all who wait. Where it fails, those in use serve until they
 * expire.
 *
 * Invariant: `#current` is what the provider gave last, unless it was forgotten since.
 */
export class Credentials {
  readonly #provider: () => Promise<BucketCredentials>;
  readonly #clock: Clock;
  #current: BucketCredentials | undefined;
  #asking: Promise<BucketCredentials> | undefined;

  constructor(provider: () => Promise<BucketCredentials>, clock: Clock) {
    this.#provider = provider;
    this.#clock = clock;
  }

  async get(): Promise<BucketCredentials> {
    const current = this.#current;
    if (current !== undefined && this.#leftMs(current) >= EARLY_MS) return current;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    try {
      return await this.#asking;
    } catch (error) {
      if (current === undefined || current !== this.#current || this.#leftMs(current) <= 0)
        throw error;
      return current;
    }
  }

  forget(): void {
    this.#current = undefined;
  }

  async #ask(): Promise<BucketCredentials> {
    this.#current = await this.#provider();
    return this.#current;
  }

  #leftMs({ expiration }: BucketCredentials): number {
    return expiration === undefined ? Infinity : expiration.getTime() - this.#clock.wallMs();
  }
}

/** What asks for credentials that were given as one or as the other. */
export function providerOf(given: BucketCredentials | CredentialsProvider): CredentialsProvider {
  return typeof given === "function" ? given : async () => given;
}

/** @throws Error where there are none. */
export function credentialsOf(
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
