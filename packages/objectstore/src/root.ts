import { objectStoreError } from "./errors.ts";
import { editDistance } from "./edit-distance.ts";
import { checkKey } from "./key.ts";

/** Where an engine keeps its objects. */
export type Root =
  /** Without a name every engine has its own; those of one process with the same name share it. */
  | { readonly scheme: "memory"; readonly name: string | undefined }
  /** The directory as it was given: relative to the process, or absolute. */
  | { readonly scheme: "file"; readonly directory: string }
  | { readonly scheme: "s3"; readonly bucket: string; readonly prefix: string | undefined };

const SCHEMES = ["memory", "file", "s3"] as const;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * `memory:`, `memory:name`, `file:./dir`, `file:/abs`, `s3://bucket/prefix`. Everything after `file:` is the path: nothing is
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
      return s3(url, rest);
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

function s3(url: string, rest: string): Root {
  const [bucket = "", ...segments] = rest.replace(/^\/*/, "").split("/");
  const prefix = segments.join("/").replace(/\/$/, "");
  if (!isBucket(bucket))
    throw invalid(
      url,
      "a bucket's name is 3 to 63 of a-z, 0-9, '.' and '-'",
      repaired("s3", rest.toLowerCase()),
    );
  if (!rest.startsWith("//") || rest.startsWith("///"))
    throw invalid(url, "it begins with s3://", `s3://${[bucket, ...segments].join("/")}`);
  if (prefix === "") return { scheme: "s3", bucket, prefix: undefined };
  try {
    checkKey(prefix);
  } catch (cause) {
    throw invalid(
      url,
      (cause as Error).message,
      `s3://${bucket}/${segments.filter(isPlain).join("/")}`,
      cause,
    );
  }
  return { scheme: "s3", bucket, prefix };
}

function isPlain(segment: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(segment) && segment !== "." && segment !== "..";
}

function fileRoot(path: string): string {
  return /^(\.{0,2}\/|\.{1,2}$)/.test(path) ? `file:${path}` : `file:./${path}`;
}

function exampleOf(scheme: Root["scheme"]): string {
  return { memory: "memory:", file: "file:./karst-data", s3: "s3://bucket/prefix" }[scheme];
}

/** A root of this scheme, as near as possible to what was given, that is valid. */
function repaired(scheme: Root["scheme"], rest: string): string {
  const bare = rest.replace(/^\/*/, "");
  if (scheme === "s3")
    return isBucket(bare.split("/")[0] ?? "") ? `s3://${bare}` : exampleOf(scheme);
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
