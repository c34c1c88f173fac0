import { createHash, createHmac } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";

/** Where the bucket is, in path style. */
export interface LeanOptions {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whether the signature covers the payload's SHA-256. */
  readonly signed: boolean;
}

/**
 * As little as a put or a get of S3 can be: one signed request over `node:http`, without retries, parsing or regard for errors.
 * The yardstick of the drivers, not one of them. Source: "Signature Version 4 signing process".
 */
export class LeanS3 {
  readonly #options: LeanOptions;
  readonly #agent: Agent = new Agent({ keepAlive: true, maxSockets: 64, scheduling: "lifo" });
  readonly #url: URL;

  constructor(options: LeanOptions) {
    this.#options = options;
    this.#url = new URL(options.endpoint);
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.#send("PUT", key, body);
  }

  get(key: string): Promise<Uint8Array> {
    return this.#send("GET", key, new Uint8Array(0));
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, key: string, body: Uint8Array): Promise<Uint8Array> {
    const path = `/${this.#options.bucket}/${key}`;
    return new Promise((resolve, reject) => {
      const sending = httpRequest(
        {
          host: this.#url.hostname,
          port: this.#url.port,
          method,
          path,
          agent: this.#agent,
          headers: { ...this.#sign(method, path, body), "content-length": body.length },
        },
        (response) => {
          const answer = new Uint8Array(Number(response.headers["content-length"] ?? 0));
          let at = 0;
          response.on("data", (chunk: Buffer) => {
            answer.set(chunk, at);
            at += chunk.length;
          });
          response.on("error", reject);
          response.on("end", () => {
            if (response.statusCode === 200) resolve(answer);
            else reject(new Error(`${method} ${path}: ${response.statusCode}`));
          });
        },
      );
      sending.on("error", reject);
      sending.end(body);
    });
  }

  #sign(method: string, path: string, body: Uint8Array): Record<string, string> {
    const { region, accessKeyId, secretAccessKey, signed } = this.#options;
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const day = time.slice(0, 8);
    const hash = signed ? sha256(body) : "UNSIGNED-PAYLOAD";
    const scope = `${day}/${region}/s3/aws4_request`;
    const names = "host;x-amz-content-sha256;x-amz-date";
    const canonical = `${method}\n${path}\n\nhost:${this.#url.host}\nx-amz-content-sha256:${hash}\nx-amz-date:${time}\n\n${names}\n${hash}`;
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
    const key = [day, region, "s3", "aws4_request"].reduce<Buffer | string>(
      (secret, part) => hmac(secret, part),
      `AWS4${secretAccessKey}`,
    );
    const signature = hmac(key, text).toString("hex");
    return {
      host: this.#url.host,
      "x-amz-content-sha256": hash,
      "x-amz-date": time,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`,
    };
  }
}

function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
