import type { Clock } from "@karst/runtime";
import type { BucketLimits } from "../../limits.ts";

/** What a request is signed with. */
export interface BucketCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** They are asked for anew five minutes before. */
  readonly expiration?: Date;
}

/** Asked at the first call, before the credentials expire, and when the server says that they have. */
export type CredentialsProvider = () => Promise<BucketCredentials>;

/** Where a bucket is and how it is spoken to; what both drivers take. */
export interface BucketOptions {
  readonly bucket: string;
  /** `https://minio.example:9000`. Default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else Amazon's of the region. */
  readonly endpoint?: string;
  /** Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, with an endpoint `us-east-1`. */
  readonly region?: string;
  /** Whether the bucket is named in the path, not in the host. Default: true with an endpoint, else false. */
  readonly pathStyle?: boolean;
  /** Default: the standard environment variables, with `s3` everything that the SDK knows. */
  readonly credentials?: BucketCredentials | CredentialsProvider;
  /** PEM certificates of authorities to trust instead of the system's. */
  readonly ca?: string;
  /**
   * What vouches for the bytes of a put: `signed`, a SHA-256 within the signature; `unsigned`, over TLS, a CRC-32C that the server
   * checks, at a tenth of the cost. Default: `unsigned` over TLS, else `signed`.
   */
  readonly payload?: "signed" | "unsigned";
  readonly limits?: Partial<BucketLimits>;
  /** For the expiry of credentials, the time to a connection, and what is said of a clock that is off. Default: Node's. */
  readonly clock?: Clock;
}

/** The options with what the environment adds to them. */
export interface BucketSettings {
  readonly bucket: string;
  readonly endpoint: URL | undefined;
  readonly region: string | undefined;
  readonly pathStyle: boolean;
  readonly signed: boolean;
}

/** @throws TypeError where an option cannot be meant. */
export function bucketSettings(
  options: BucketOptions,
  environment: Readonly<Record<string, string | undefined>>,
): BucketSettings {
  const { bucket, payload } = options;
  if (typeof bucket !== "string" || bucket === "") throw new TypeError("a bucket's name is needed");
  const given =
    options.endpoint ?? environment["AWS_ENDPOINT_URL_S3"] ?? environment["AWS_ENDPOINT_URL"] ?? "";
  const endpoint = given === "" ? undefined : endpointOf(given);
  const region =
    options.region ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "";
  const secure = endpoint === undefined || endpoint.protocol === "https:";
  return {
    bucket,
    endpoint,
    region: region === "" ? (endpoint === undefined ? undefined : "us-east-1") : region,
    pathStyle: options.pathStyle ?? endpoint !== undefined,
    signed: payload === undefined ? !secure : payload === "signed",
  };
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new TypeError(`endpoint ${JSON.stringify(text)} is no http: or https: URL`);
  if (url.username !== "" || url.password !== "")
    throw new TypeError("an endpoint has no user and no password in it");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw new TypeError(`endpoint ${JSON.stringify(text)} has more than a host and a port`);
  return url;
}
