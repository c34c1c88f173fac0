import type { KarstError } from "@karst/runtime";
import { objectStoreError } from "../../errors.ts";
import type { Exchange } from "./exchange.ts";

/** Whether a request that was received may have changed something. */
export type Effect = "read" | "write";

/** What an answer, or the lack of one, means to the caller. */
export type Verdict =
  /** The condition of a conditional write does not hold. */
  | "precondition"
  | "no-key"
  | "no-upload"
  | "bad-range"
  /** The credentials are out of date: newer ones may do. */
  | "credentials"
  /** Certainly not done: the clocks of this machine and of the server differ. */
  | "skewed"
  /** Certainly not done, and not for a retry to mend: somebody has to set something right. */
  | "refused"
  /** Certainly not done; later it may be. */
  | "unavailable"
  | "unknown"
  /**
   * Certainly not done: the server has a directory, or a file, where the key wants the other. versitygw says so too when another
   * request removes a directory that has become empty, at the same moment.
   */
  | "key-conflict";

/** What servers say by code. Source: Amazon S3 API reference, "Error responses"; those of versitygw and MinIO by their names. */
const BY_CODE: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ["PreconditionFailed", "precondition"],
  // Another request for the key was under way: nothing is known of whether the key exists.
  ["ConditionalRequestConflict", "unavailable"],
  ["OperationAborted", "unavailable"],
  ["NoSuchKey", "no-key"],
  ["NoSuchUpload", "no-upload"],
  ["InvalidRange", "bad-range"],
  ["ExpiredToken", "credentials"],
  ["ExpiredTokenException", "credentials"],
  ["TokenRefreshRequired", "credentials"],
  ["InvalidToken", "credentials"],
  ["RequestExpired", "credentials"],
  ["RequestTimeTooSkewed", "skewed"],
  ["SlowDown", "unavailable"],
  ["TooManyRequests", "unavailable"],
  ["RequestLimitExceeded", "unavailable"],
  ["Throttling", "unavailable"],
  ["ThrottlingException", "unavailable"],
  ["BandwidthLimitExceeded", "unavailable"],
  // The body did not arrive, or not as it was sent.
  ["RequestTimeout", "unavailable"],
  ["IncompleteBody", "unavailable"],
  ["BadDigest", "unavailable"],
  ["XAmzContentSHA256Mismatch", "unavailable"],
  ["XAmzContentChecksumMismatch", "unavailable"],
  ["ObjectParentIsFile", "key-conflict"],
  ["ExistingObjectIsDirectory", "key-conflict"],
  ["XMinioParentIsObject", "key-conflict"],
  ["XMinioObjectExistsAsDirectory", "key-conflict"],
]);

/** `<Code>` of an error's XML; undefined where an error is not a server's own: a proxy's page. */
export function errorCode(body: string): string | undefined {
  return /<Error>.*?<Code>\s*([A-Za-z0-9.]+)\s*<\/Code>/s.exec(body)?.[1];
}

export function verdictOf(exchange: Exchange, effect: Effect, method: "HEAD" | "other"): Verdict {
  const { outcome } = exchange;
  const unknown = effect === "write" ? "unknown" : "unavailable";
  if (outcome.tag === "unsent") return exchange.fault === undefined ? "refused" : "unavailable";
  if (outcome.tag === "sent") return unknown;
  const { status, body } = outcome;
  if (status >= 200 && status < 300) return unknown;
  const code = errorCode(body);
  const known = code === undefined ? undefined : BY_CODE.get(code);
  if (known !== undefined) return known;
  if (status >= 500) return status === 501 ? "refused" : unknown;
  switch (status) {
    case 404:
      // An answer to HEAD has no body. Of a page that is no server's, absence is not believed.
      return method === "HEAD" ? "no-key" : code === undefined ? unknown : "refused";
    case 408:
      return unknown;
    case 409:
      return code === undefined ? unknown : "unavailable";
    case 412:
      return code === undefined ? unknown : "precondition";
    case 416:
      return code === undefined ? unknown : "bad-range";
    case 429:
      return "unavailable";
    case 400:
    case 401:
    case 403:
      return method === "HEAD" ? "credentials" : "refused";
    default:
      return "refused";
  }
}

/** The error of a verdict that is no answer. */
export function failureOf(
  verdict: Verdict,
  request: {
    /** Call, key and store. */
    readonly what: string;
    readonly exchange: Exchange;
    readonly cause: unknown;
    readonly wallMs: number;
  },
): KarstError {
  const { what, exchange, cause, wallMs } = request;
  const reason = `${what}: ${reasonOf(exchange, cause)}`;
  switch (verdict) {
    case "no-key":
      return objectStoreError("OBJECT_NOT_FOUND", reason);
    case "bad-range":
      return objectStoreError("RANGE_NOT_SATISFIABLE", reason);
    case "skewed":
    case "credentials":
    case "refused": {
      const skew = skewOf(exchange, wallMs);
      const clocks = verdict === "skewed" ? "; this machine's clock and the server's differ" : "";
      return objectStoreError("STORE_REFUSED", `${reason}${skew || clocks}`, exchange.fault);
    }
    case "key-conflict":
    case "unavailable":
      return objectStoreError("UNAVAILABLE", reason, causeOf(exchange));
    case "precondition":
    case "no-upload":
    case "unknown":
      return objectStoreError("UNKNOWN_OUTCOME", reason, causeOf(exchange));
  }
}

/** Never the SDK's error: it may hold the request with its signature. */
function causeOf({ signal, fault }: Exchange): unknown {
  return signal?.aborted === true ? signal.reason : fault;
}

function reasonOf({ outcome, fault, signal }: Exchange, cause: unknown): string {
  if (outcome.tag === "answered" && (outcome.status < 200 || outcome.status >= 300)) {
    const { status, headers, body } = outcome;
    const message = /<Message>([^<]{1,300})/.exec(body)?.[1] ?? "";
    const id = headers["x-amz-request-id"];
    return [
      `${status} ${errorCode(body) ?? "(no S3 error)"}`,
      ...(message === "" ? [] : [message]),
      ...(typeof id === "string" ? [`request ${id.split(",", 1)[0]?.slice(0, 64)}`] : []),
    ].join(", ");
  }
  if (signal?.aborted === true) return "aborted";
  if (fault !== undefined) return textOf(fault);
  return cause instanceof Error ? textOf(cause) : String(cause);
}

function textOf(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  // A refused connection of a host with several addresses has its message in its code alone.
  if (error.message !== "") return error.message;
  return typeof code === "string" ? code : error.name;
}

/** Clocks that differ are the first thing to look at where signatures are refused. */
function skewOf({ outcome }: Exchange, wallMs: number): string {
  const date = outcome.tag === "answered" ? Date.parse(outcome.headers.date ?? "") : Number.NaN;
  const seconds = Math.round((wallMs - date) / 1_000);
  if (Number.isNaN(seconds) || Math.abs(seconds) < 60) return "";
  return `; this machine's clock is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the server's`;
}
