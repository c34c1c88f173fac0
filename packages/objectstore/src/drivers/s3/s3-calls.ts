import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
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
import { type Payload, UNSIGNED } from "../bucket/payload.ts";
import type { BucketSettings } from "../bucket/settings.ts";
import type { Transport } from "../bucket/transport.ts";
import { Handler, type SendOptions } from "./handler.ts";

const nothing = (): void => undefined;
/** Without a logger the SDK writes to the console of whoever uses it that a streamed request failed. */
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** What we do with a command's middleware: its request can be changed between its building and its signing. */
interface BuildStack {
  add(
    middleware: (next: (built: Built) => Promise<unknown>) => (built: Built) => Promise<unknown>,
    options: { readonly step: "build"; readonly name: string },
  ): void;
}

interface Built {
  readonly request: { readonly headers: Record<string, string> };
}

/** The requests of a bucket by `@aws-sdk/client-s3`, which signs and parses. Its own retries, checksums and waits are off. */
export class S3Calls implements BucketCalls {
  readonly followsServerClock: boolean = true;
  readonly #client: S3Client;
  readonly #transport: Transport;
  /** Undefined: the SDK finds and keeps them. */
  readonly #credentials: Credentials | undefined;
  readonly #bucket: string;
  readonly #signed: boolean;

  constructor(
    settings: BucketSettings,
    credentials: Credentials | undefined,
    transport: Transport,
  ) {
    const { bucket, endpoint, region, pathStyle, signed } = settings;
    this.#bucket = bucket;
    this.#signed = signed;
    this.#transport = transport;
    this.#credentials = credentials;
    this.#client = new S3Client({
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint: endpoint.href }),
      // Expired long ago: the SDK keeps no copy of its own, whose age it would take from the system's clock.
      ...(credentials === undefined
        ? {}
        : { credentials: async () => ({ ...(await credentials.get()), expiration: new Date(0) }) }),
      forcePathStyle: pathStyle,
      maxAttempts: 1,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      expectContinueHeader: false,
      logger: SILENT,
      requestHandler: new Handler(transport) as unknown as NonNullable<
        S3ClientConfig["requestHandler"]
      >,
    });
  }

  async put(exchange: Exchange, { key, payload, condition }: PutRequest): Promise<void> {
    const command = new PutObjectCommand({
      ...this.#at(key),
      Body: payload.content(),
      ContentLength: payload.bytes,
      ...(this.#signed ? {} : { ChecksumCRC32C: payload.crc32c }),
      ...(condition?.tag === "absent" ? { IfNoneMatch: "*" } : {}),
      ...(condition?.tag === "match" ? { IfMatch: condition.etag } : {}),
    });
    this.#vouch(command, payload);
    await this.#client.send(command, withExchange(exchange));
  }

  async get(exchange: Exchange, key: string, range: string | undefined): Promise<Readable> {
    const command = new GetObjectCommand({
      ...this.#at(key),
      ...(range === undefined ? {} : { Range: range }),
    });
    const { Body } = await this.#client.send(command, withExchange(exchange));
    return Body as Readable;
  }

  async head(exchange: Exchange, key: string): Promise<ObjectHead> {
    const command = new HeadObjectCommand(this.#at(key));
    const { ContentLength, ETag } = await this.#client.send(command, withExchange(exchange));
    return { bytes: ContentLength ?? 0, etag: ETag ?? "" };
  }

  async list(exchange: Exchange, page: PageRequest): Promise<ListedPage> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      MaxKeys: page.entries,
      ...(page.prefix === "" ? {} : { Prefix: page.prefix }),
      ...(page.startAfter === "" ? {} : { StartAfter: page.startAfter }),
      ...(page.token === undefined ? {} : { ContinuationToken: page.token }),
    });
    const listed = await this.#client.send(command, withExchange(exchange));
    // The SDK takes anything with status 200, a proxy's page too, for a list of nothing.
    if (listed.IsTruncated === undefined) throw new Error("an answer to a list is no list");
    const objects = (listed.Contents ?? []).map(({ Key, Size, ETag }) => {
      if (Key === undefined || Size === undefined)
        throw new Error("an entry of a list has no key or no size");
      return { key: Key, bytes: Size, etag: ETag ?? "" };
    });
    if (!listed.IsTruncated) return { objects, next: undefined };
    const next = listed.NextContinuationToken;
    if (next === undefined) throw new Error("a list goes on and does not say where");
    return { objects, next };
  }

  async deleteOne(exchange: Exchange, key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#at(key)), withExchange(exchange));
  }

  async deleteMany(exchange: Exchange, keys: readonly string[]): Promise<readonly string[]> {
    const command = new DeleteObjectsCommand({
      Bucket: this.#bucket,
      // Not quietly: the SDK makes an empty result of what is none.
      Delete: { Objects: keys.map((key) => ({ Key: key })), Quiet: false },
    });
    const { Deleted, Errors } = await this.#client.send(command, withExchange(exchange));
    if (Deleted === undefined && Errors === undefined)
      throw new Error("an answer to a delete is no DeleteResult");
    return (Errors ?? []).map(({ Code }) => Code ?? "");
  }

  async beginUpload(exchange: Exchange, key: string): Promise<string> {
    const command = new CreateMultipartUploadCommand({
      ...this.#at(key),
      ...(this.#signed ? {} : { ChecksumAlgorithm: "CRC32C" }),
    });
    const { UploadId: id } = await this.#client.send(command, withExchange(exchange));
    if (id === undefined) throw new Error("the upload has no id");
    return id;
  }

  async uploadPart(
    exchange: Exchange,
    { upload, number, payload }: PartRequest,
  ): Promise<StoredPart> {
    const crc32c = this.#signed ? undefined : payload.crc32c;
    const command = new UploadPartCommand({
      ...this.#at(upload.key),
      UploadId: upload.id,
      PartNumber: number,
      Body: payload.content(),
      ContentLength: payload.bytes,
      ...(crc32c === undefined ? {} : { ChecksumCRC32C: crc32c }),
    });
    this.#vouch(command, payload);
    const { ETag } = await this.#client.send(command, withExchange(exchange));
    if (ETag === undefined) throw new Error("the part has no etag");
    return { number, etag: ETag, crc32c };
  }

  async completeUpload(
    exchange: Exchange,
    upload: UploadId,
    parts: readonly StoredPart[],
  ): Promise<void> {
    const command = new CompleteMultipartUploadCommand({
      ...this.#at(upload.key),
      UploadId: upload.id,
      MultipartUpload: {
        Parts: parts.map(({ number, etag, crc32c }) => ({
          PartNumber: number,
          ETag: etag,
          ...(crc32c === undefined ? {} : { ChecksumCRC32C: crc32c }),
        })),
      },
    });
    const { ETag } = await this.#client.send(command, withExchange(exchange));
    if (ETag === undefined) throw new Error("a completed upload has no etag");
  }

  async abortUpload(exchange: Exchange, upload: UploadId): Promise<void> {
    const command = new AbortMultipartUploadCommand({
      ...this.#at(upload.key),
      UploadId: upload.id,
    });
    await this.#client.send(command, withExchange(exchange));
  }

  async refreshCredentials(): Promise<void> {
    this.#credentials?.forget();
    // A failure is the next call's, which asks again.
    await this.#client.config.credentials({ forceRefresh: true }).catch(() => undefined);
  }

  close(): void {
    this.#client.destroy();
    this.#transport.close();
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  /** Sets the hash of the payload that the signature covers, before the SDK would read the payload to make one. */
  #vouch(command: PutObjectCommand | UploadPartCommand, payload: Payload): void {
    const hash = this.#signed ? payload.sha256 : UNSIGNED;
    const stack = command.middlewareStack as unknown as BuildStack;
    stack.add(
      (next) => (built) => {
        built.request.headers["x-amz-content-sha256"] = hash;
        return next(built);
      },
      { step: "build", name: "payloadHash" },
    );
  }
}

/** The SDK hands what it does not know to its handler. */
function withExchange(exchange: Exchange): Record<string, never> {
  const options: SendOptions = { exchange };
  return options as unknown as Record<string, never>;
}
