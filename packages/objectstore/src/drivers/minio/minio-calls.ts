import { createHash } from "node:crypto";
import type { IncomingMessage, RequestOptions } from "node:http";
import type { Readable } from "node:stream";
import { Client } from "minio";
import type {
  BucketCalls,
  ListedPage,
  ObjectHead,
  PageRequest,
  PartRequest,
  PutRequest,
  StoredPart,
  UploadId,
} from "../bucket/bucket-calls.ts";
import type { Credentials } from "../bucket/credentials.ts";
import type { Exchange } from "../bucket/exchange.ts";
import type { Payload } from "../bucket/payload.ts";
import { readBody } from "../bucket/read-body.ts";
import type { BucketSettings } from "../bucket/settings.ts";
import type { Transport } from "../bucket/transport.ts";
import { checkCompletion, completionXml } from "./completion.ts";
import { deletionErrors, deletionXml } from "./deletion.ts";
import { listedPage } from "./listed-page.ts";

type ClientOptions = ConstructorParameters<typeof Client>[0];

/** Every status of success: which of them an answer may have is decided above. */
const SUCCESS = [200, 201, 204, 206];

/**
 * The requests of a bucket by `minio`, which signs and parses. Puts go through the request that its `putObject` is made of: that one
 * hashes every body twice and takes no parts. Its `completeMultipartUpload` leaves out the parts' checksums, and its
 * `removeObjects` does not look whether an answer is one.
 *
 * A client lasts for one request, as it has no signals and no way to tell requests apart: its transport is the exchange's. Making
 * one costs microseconds; the connections are the store's.
 */
export class MinioCalls implements BucketCalls {
  readonly followsServerClock: boolean = false;
  readonly #settings: BucketSettings;
  readonly #credentials: Credentials;
  readonly #transport: Transport;

  constructor(settings: BucketSettings, credentials: Credentials, transport: Transport) {
    this.#settings = settings;
    this.#credentials = credentials;
    this.#transport = transport;
  }

  async put(exchange: Exchange, { key, payload, condition }: PutRequest): Promise<void> {
    const headers: Record<string, string> = {};
    if (condition?.tag === "absent") headers["if-none-match"] = "*";
    if (condition?.tag === "match") headers["if-match"] = condition.etag;
    if (!this.#settings.signed) headers["x-amz-checksum-crc32c"] = payload.crc32c;
    await drain(await this.#send(exchange, { key, payload, headers }));
  }

  async get(exchange: Exchange, key: string, range: string | undefined): Promise<Readable> {
    const client = await this.#client(exchange);
    return client.makeRequestAsync(
      {
        method: "GET",
        bucketName: this.#settings.bucket,
        objectName: key,
        headers: range === undefined ? {} : { range },
      },
      "",
      SUCCESS,
    );
  }

  async head(exchange: Exchange, key: string): Promise<ObjectHead> {
    const client = await this.#client(exchange);
    const { size, etag } = await client.statObject(this.#settings.bucket, key);
    return { bytes: size, etag };
  }

  async list(exchange: Exchange, page: PageRequest): Promise<ListedPage> {
    const query = new URLSearchParams({ "list-type": "2", "max-keys": String(page.entries) });
    if (page.token !== undefined) query.set("continuation-token", page.token);
    if (page.prefix !== "") query.set("prefix", page.prefix);
    if (page.startAfter !== "") query.set("start-after", page.startAfter);
    query.sort();
    const client = await this.#client(exchange);
    const response = await client.makeRequestAsync(
      { method: "GET", bucketName: this.#settings.bucket, query: query.toString() },
      "",
      SUCCESS,
    );
    return listedPage(await textOf(response));
  }

  async deleteOne(exchange: Exchange, key: string): Promise<void> {
    const client = await this.#client(exchange);
    await client.removeObject(this.#settings.bucket, key);
  }

  async deleteMany(exchange: Exchange, keys: readonly string[]): Promise<readonly string[]> {
    const xml = deletionXml(keys);
    const md5 = createHash("md5").update(xml).digest("base64");
    const request = { query: "delete", headers: { "content-md5": md5 } };
    return deletionErrors(await this.#post(exchange, request, xml));
  }

  async beginUpload(exchange: Exchange, key: string): Promise<string> {
    const client = await this.#client(exchange);
    const headers = this.#settings.signed ? {} : { "x-amz-checksum-algorithm": "CRC32C" };
    return client.initiateNewMultipartUpload(this.#settings.bucket, key, headers);
  }

  async uploadPart(
    exchange: Exchange,
    { upload, number, payload }: PartRequest,
  ): Promise<StoredPart> {
    const query = `partNumber=${number}&uploadId=${encodeURIComponent(upload.id)}`;
    const crc32c = this.#settings.signed ? undefined : payload.crc32c;
    const headers: Record<string, string> =
      crc32c === undefined ? {} : { "x-amz-checksum-crc32c": crc32c };
    const response = await this.#send(exchange, { key: upload.key, payload, headers, query });
    await drain(response);
    const { etag } = response.headers;
    if (etag === undefined) throw new Error("the part has no etag");
    return { number, etag, crc32c };
  }

  async completeUpload(
    exchange: Exchange,
    upload: UploadId,
    parts: readonly StoredPart[],
  ): Promise<void> {
    const query = `uploadId=${encodeURIComponent(upload.id)}`;
    const xml = completionXml(parts);
    checkCompletion(await this.#post(exchange, { objectName: upload.key, query }, xml));
  }

  async abortUpload(exchange: Exchange, upload: UploadId): Promise<void> {
    const client = await this.#client(exchange);
    await client.abortMultipartUpload(this.#settings.bucket, upload.key, upload.id);
  }

  async refreshCredentials(): Promise<void> {
    this.#credentials.forget();
  }

  close(): void {
    this.#transport.close();
  }

  async #send(
    exchange: Exchange,
    put: {
      readonly key: string;
      readonly payload: Payload;
      readonly headers: Record<string, string>;
      readonly query?: string;
    },
  ): Promise<IncomingMessage> {
    const { key, payload, headers, query } = put;
    const client = await this.#client(exchange);
    return client.makeRequestStreamAsync(
      {
        method: "PUT",
        bucketName: this.#settings.bucket,
        objectName: key,
        headers: { ...headers, "content-length": String(payload.bytes) },
        ...(query === undefined ? {} : { query }),
      },
      payload.content(),
      this.#settings.signed ? payload.sha256 : "",
      SUCCESS,
      this.#region,
    );
  }

  /** @returns the text of the answer. */
  async #post(
    exchange: Exchange,
    request: {
      readonly objectName?: string;
      readonly query: string;
      readonly headers?: Record<string, string>;
    },
    xml: string,
  ): Promise<string> {
    const client = await this.#client(exchange);
    const options = { method: "POST", bucketName: this.#settings.bucket, ...request } as const;
    return textOf(await client.makeRequestAsync(options, xml, SUCCESS));
  }

  get #region(): string {
    return this.#settings.region ?? "us-east-1";
  }

  async #client(exchange: Exchange): Promise<Client> {
    const { endpoint, pathStyle } = this.#settings;
    const { accessKeyId, secretAccessKey, sessionToken } = await this.#credentials.get();
    const transport = {
      request: (options: RequestOptions, onAnswer: (answer: IncomingMessage) => void) =>
        this.#transport.request(exchange, options, (answer) => onAnswer(answer as IncomingMessage)),
    };
    return new Client({
      endPoint: endpoint?.hostname ?? `s3.${this.#region}.amazonaws.com`,
      useSSL: endpoint?.protocol !== "http:",
      ...(endpoint === undefined || endpoint.port === "" ? {} : { port: Number(endpoint.port) }),
      accessKey: accessKeyId,
      secretKey: secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      region: this.#region,
      pathStyle,
      retryOptions: { disableRetry: true },
      transport: transport as unknown as NonNullable<ClientOptions["transport"]>,
    });
  }
}

async function textOf(response: Readable): Promise<string> {
  return Buffer.from(await readBody(response, undefined)).toString();
}

/** An answer's body has to be read for its connection to be used again. */
async function drain(response: Readable): Promise<void> {
  for await (const chunk of response) void chunk;
}
