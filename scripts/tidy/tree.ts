import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Every text file of the repository that git tracks or would track, relative to the root. */
export function textFiles(): readonly string[] {
  const listed = execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed
    .split("\0")
    .filter((path) => path !== "" && !path.includes("/fixtures/") && path !== "pnpm-lock.yaml")
    .filter((path) => existsSync(join(root, path)) && statSync(join(root, path)).isFile());
}

export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Workspace {
  /** Of the folder below `packages/`, or of the folder at the root. */
  readonly folder: string;
  /** Relative to the root. */
  readonly path: string;
  readonly manifest: Manifest;
  /** Folders that its tsconfig.json refers to, by their last name. */
  readonly references: readonly string[];
}

/** The workspaces that are packages. */
export function packages(): readonly Workspace[] {
  return readdirSync(join(root, "packages"))
    .filter((folder) => existsSync(join(root, "packages", folder, "package.json")))
    .map((folder) => workspace(folder, join("packages", folder)));
}

export function workspace(folder: string, path: string): Workspace {
  const manifest = JSON.parse(read(join(path, "package.json"))) as Manifest;
  const project = join(path, "tsconfig.json");
  const references = existsSync(join(root, project))
    ? [...read(project).matchAll(/"path":\s*"([^"]+)"/g)].map((match) => lastName(match[1] ?? ""))
    : [];
  return { folder, path, manifest, references };
}

function lastName(path: string): string {
  return path.split("/").findLast((part) => part !== "") ?? "";
}

/** Module names in the import and export declarations and the dynamic imports of a source, comments left out. */
export function importsOf(source: string): readonly string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)"([^"\n]+)"/g;
  return [...code.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** `@karst/wal/conformance` → `@karst/wal`; `./x.ts` → undefined. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return undefined;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}
