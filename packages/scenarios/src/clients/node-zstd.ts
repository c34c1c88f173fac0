import * as zlib from "node:zlib";

/** Node has it from 22.15 and 23.8 on. */
export function zstdIsBuiltIn(): boolean {
  return "zstdCompressSync" in zlib;
}
