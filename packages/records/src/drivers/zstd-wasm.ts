import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { assert } from "@karst/runtime";
import { corrupt } from "../codecs/failure.ts";
import { WASM_IDLE_BYTES_MAX } from "../limits.ts";
import { loadFresh, mainFile, once } from "./load.ts";

/** What is used of the global, which the types of Node 20 leave out. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => object;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };

/** The compiled library with its glue: one instance per evaluation. */
interface Glue {
  /** Makes the instance; without it, `init` would do so asynchronously. */
  instantiateWasm?: (imports: object, receive: (instance: object) => void) => object;
  init(): void;
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _ZSTD_isError(result: number): number;
  _ZSTD_compressBound(bytes: number): number;
  _ZSTD_compress(
    into: number,
    capacity: number,
    from: number,
    bytes: number,
    level: number,
  ): number;
  _ZSTD_decompress(into: number, capacity: number, from: number, bytes: number): number;
}

const LEVEL = 3;
/** ZSTD_error_dstSize_tooSmall, as results have it: negative, in 32 bits. */
const TOO_SMALL = -70;

/**
 * The library in WebAssembly, over memory that only grows.
 *
 * Invariants: an instance that threw is not used again, nor one whose memory has become large; nothing is instantiated before the
 * first call, which is synchronous.
 */
export class ZstdWasm {
  readonly #folder = once(() => dirname(mainFile("@bokuweb/zstd-wasm")));
  readonly #module = once(
    () => new WebAssembly.Module(readFileSync(join(this.#folder(), "zstd.wasm"))),
  );
  #idle: Glue | undefined;

  compress(bytes: Uint8Array): Uint8Array {
    const result = this.#run((glue) => {
      const capacity = glue._ZSTD_compressBound(bytes.length);
      return withMemory(glue, bytes, capacity, (from, into) =>
        glue._ZSTD_compress(into, capacity, from, bytes.length, LEVEL),
      );
    });
    assert(typeof result !== "number", `zstd could not compress: ${String(result)}`);
    return result;
  }

  /** @returns undefined where it becomes more than `capacity` bytes. @throws KarstError `CORRUPT_BATCH`; whatever a trap throws. */
  decompress(bytes: Uint8Array, capacity: number): Uint8Array | undefined {
    const result = this.#run((glue) =>
      withMemory(glue, bytes, capacity, (from, into) =>
        glue._ZSTD_decompress(into, capacity, from, bytes.length),
      ),
    );
    if (typeof result !== "number") return result;
    if (result === TOO_SMALL) return undefined;
    throw corrupt(`zstd error ${-result}`);
  }

  #run<Result>(use: (glue: Glue) => Result): Result {
    const glue = this.#idle ?? this.#instantiate();
    this.#idle = undefined;
    const result = use(glue);
    if (glue.HEAPU8.length <= WASM_IDLE_BYTES_MAX) this.#idle = glue;
    return result;
  }

  #instantiate(): Glue {
    const { Module: glue } = loadFresh<{ readonly Module: Glue }>(join(this.#folder(), "zstd.js"));
    glue.instantiateWasm = (imports, receive) => {
      receive(new WebAssembly.Instance(this.#module(), imports));
      return {};
    };
    glue.init();
    return glue;
  }
}

/** Runs over a copy of `bytes` and room for `capacity` more. @returns fresh bytes, or the error number, below 0. */
function withMemory(
  glue: Glue,
  bytes: Uint8Array,
  capacity: number,
  run: (from: number, into: number) => number,
): Uint8Array | number {
  const from = glue._malloc(bytes.length);
  const into = glue._malloc(capacity);
  if ((from === 0 && bytes.length > 0) || (into === 0 && capacity > 0)) {
    throw new RangeError(`no memory for ${bytes.length + capacity} bytes`);
  }
  glue.HEAPU8.set(bytes, from);
  const result = run(from, into);
  const done = glue._ZSTD_isError(result) === 0 ? glue.HEAPU8.slice(into, into + result) : result;
  glue._free(into);
  glue._free(from);
  return done;
}
