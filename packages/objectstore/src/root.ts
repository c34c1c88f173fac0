import { type BucketQuery, parseBucketQuery } from "./bucket-query.ts";
import { objectStoreError } from "./errors.ts";
import { editDistance } from "./edit-distance.ts";
import { checkKey } from "./key.ts";

/** Where an engine keeps its objects. */
export type Root =
  /** Without a name every engine has its own; those of one process with the same name share it. */
  | { readonly scheme: "memory"; readonly name: string | undefined }
  /** The directory as it was given: relative to the process, or absolute. */
  | { readonly scheme: "file"; readonly directory: string }
  | BucketRoot;

/** A bucket, or what is below a prefix of it, by the driver of its scheme. */
export interface BucketRoot {
  readonly scheme: "s3" | "minio";
  readonly bucket: string;
  readonly prefix: string | undefined;
  /** Where something stands after a `?`. */
  readonly query?: BucketQuery;
}

const SCHEMES = ["memory", "file", "s3", "minio"] as const;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * `memory:`, `memory:name`, `file:./dir`, `file:/abs`, `s3://bucket/prefix`, `minio://bucket/prefix?endpoint=http://host:9000`. Everything after `file:` is the path: nothing is
 * decoded or expanded.
 *
 * @throws KarstError `INVALID_ROOT` (`invalid`), naming what is wrong and the nearest valid root.
 */
export function parseRoot(url: string): Root {
  if (typeof url !== "string" || url === "")
    throw invalid(String(url), "a root is needed", "file:./karst-data");
  const colon = url.indexOf(":");
  if (colon <= 0 || /[/\\]/.test(url.slice(0, colon))) {
    const scheme = SCHEMES.find((known) => known === url);
    throw invalid(
      url,
      "it has no scheme",
      scheme === undefined ? fileRoot(url) : exampleOf(scheme),
    );
  }
  const scheme = url.slice(0, colon);
  const rest = url.slice(colon + 1);
  switch (scheme) {
    case "memory":
      return memory(url, rest);
    case "file":
      return file(url, rest);
    case "s3":
    case "minio":
      return bucketRoot(scheme, url, rest);
    default: {
      const near = nearestScheme(scheme);
      if (scheme.length === 1) throw invalid(url, "it has no scheme", `file:${url}`);
      throw invalid(
        url,
        `the scheme '${scheme}' is unknown`,
        near === undefined ? undefined : repaired(near, rest),
      );
    }
  }
}

function memory(url: string, rest: string): Root {
  if (rest === "") return { scheme: "memory", name: undefined };
  if (NAME.test(rest)) return { scheme: "memory", name: rest };
  const name = rest.replaceAll(/[^A-Za-z0-9._-]/g, "").slice(0, 64);
  throw invalid(url, "a name is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'", `memory:${name}`);
}

function file(url: string, rest: string): Root {
  if (rest === "" || rest === "//")
    throw invalid(url, "it names no directory", "file:./karst-data");
  if (rest.includes("\0"))
    throw invalid(url, "a path has no NUL character", fileRoot(rest.replaceAll("\0", "")));
  if (rest.startsWith("~"))
    throw invalid(url, "'~' is not expanded: write the directory out", undefined);
  if (!rest.startsWith("//")) return { scheme: "file", directory: rest };
  // file:///abs, with an empty host, is the same path in its long form.
  if (rest.startsWith("///")) return { scheme: "file", directory: rest.slice(2) };
  throw invalid(url, "a file root has no host", fileRoot(rest.slice(2)));
}

function bucketRoot(scheme: BucketRoot["scheme"], url: string, given: string): Root {
  const mark = given.indexOf("?");
  const rest = mark < 0 ? given : given.slice(0, mark);
  const query = mark < 0 ? {} : queryOf(url, rest, given.slice(mark + 1));
  const [bucket = "", ...segments] = rest.replace(/^\/*/, "").split("/");
  const prefix = segments.join("/").replace(/\/$/, "");
  if (!isBucket(bucket))
    throw invalid(
      url,
      "a bucket's name is 3 to 63 of a-z, 0-9, '.' and '-'",
      repaired(scheme, rest.toLowerCase()),
    );
  if (!rest.startsWith("//") || rest.startsWith("///"))
    throw invalid(
      url,
      `it begins with ${scheme}://`,
      `${scheme}://${[bucket, ...segments].join("/")}`,
    );
  if (prefix === "") return { scheme, bucket, prefix: undefined, ...query };
  try {
    checkKey(prefix);
  } catch (cause) {
    throw invalid(
      url,
      (cause as Error).message,
      `${scheme}://${bucket}/${segments.filter(isPlain).join("/")}`,
      cause,
    );
  }
  return { scheme, bucket, prefix, ...query };
}

function queryOf(url: string, rest: string, text: string): { readonly query?: BucketQuery } {
  if (text === "") return {};
  try {
    return { query: parseBucketQuery(text) };
  } catch (error) {
    // Without the query, which may hold a secret.
    const bare = url.slice(0, url.indexOf(rest) + rest.length);
    throw invalid(bare, (error as Error).message, undefined);
  }
}

function isPlain(segment: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(segment) && segment !== "." && segment !== "..";
}

function fileRoot(path: string): string {
  return /^(\.{0,2}\/|\.{1,2}$)/.test(path) ? `file:${path}` : `file:./${path}`;
}

function exampleOf(scheme: Root["scheme"]): string {
  return {
    memory: "memory:",
    file: "file:./karst-data",
    s3: "s3://bucket/prefix",
    minio: "minio://bucket/prefix",
  }[scheme];
}

/** A root of this scheme, as near as possible to what was given, that is valid. */
function repaired(scheme: Root["scheme"], rest: string): string {
  const bare = rest.replace(/^\/*/, "");
  if (scheme === "s3" || scheme === "minio")
    return isBucket(bare.split("/")[0] ?? "") ? `${scheme}://${bare}` : exampleOf(scheme);
  try {
    const candidate = `${scheme}:${scheme === "memory" ? bare : rest}`;
    parseRoot(candidate);
    return candidate;
  } catch {
    return exampleOf(scheme);
  }
}

function isBucket(name: string): boolean {
  return BUCKET.test(name) && !name.includes("..");
}

/** The scheme at most two edits away, whatever its case. */
function nearestScheme(scheme: string): Root["scheme"] | undefined {
  const [best] = SCHEMES.map((known) => ({
    known,
    edits: editDistance(scheme.toLowerCase(), known),
  })).toSorted((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= 2 && best.edits < best.known.length
    ? best.known
    : undefined;
}

function invalid(
  url: string,
  fault: string,
  suggestion: string | undefined,
  cause?: unknown,
): Error {
  const hint = suggestion === undefined ? "" : `; did you mean ${JSON.stringify(suggestion)}?`;
  return objectStoreError("INVALID_ROOT", `root ${JSON.stringify(url)}: ${fault}${hint}`, cause);
}
