import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** A native package where it loads; `KARST_PORTABLE=1` hides it. Any load error means that it is not there. */
export function loadNative<Package>(name: string): Package | undefined {
  if (nativeHidden()) return undefined;
  try {
    return require(name) as Package;
  } catch {
    return undefined;
  }
}

/** Whether the portable twins serve, whatever is installed. */
export function nativeHidden(): boolean {
  return process.env["KARST_PORTABLE"] === "1";
}

/** A CommonJS package of pure JavaScript. */
export function loadPortable<Package>(name: string): Package {
  return require(name) as Package;
}

/**
 * A CommonJS file evaluated anew, with memory of its own, which goes when the caller drops it. For packages that keep one WebAssembly
 * instance in a module: one that has trapped is not to be used again.
 */
export function loadFresh<Package>(path: string): Package {
  // A `require` of its own: one that lives on would hold the module among its children.
  const requireOnce = createRequire(import.meta.url);
  const file = requireOnce.resolve(path);
  try {
    return requireOnce(file) as Package;
  } finally {
    Reflect.deleteProperty(requireOnce.cache, file);
  }
}

/** Where a package's main file is. */
export function mainFile(name: string): string {
  return require.resolve(name);
}

/** Made when it is first asked for. */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
