import type { Files, Random } from "@karst/runtime";
import { fileObjectStore } from "./drivers/file/file-object-store.ts";
import { memoryObjectStore } from "./drivers/memory.ts";
import type { MemoryBucket } from "./drivers/memory-bucket.ts";
import { objectStoreError } from "./errors.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Root } from "./root.ts";

export interface OpenRootOptions {
  readonly files: Files;
  readonly random: Random;
  /** The bucket of a named memory root; the same name must give the same bucket. */
  readonly bucket: (name: string) => MemoryBucket;
}

/**
 * The store at a root.
 *
 * @throws KarstError `UNSUPPORTED` (`invalid`) naming the entry point that has the root's driver.
 */
export function openRoot(root: Root, options: OpenRootOptions): ObjectStore {
  switch (root.scheme) {
    case "memory":
      return root.name === undefined
        ? memoryObjectStore()
        : memoryObjectStore({ name: root.name, bucket: options.bucket(root.name) });
    case "file":
      return fileObjectStore({
        files: options.files,
        random: options.random,
        directory: root.directory,
      });
    case "s3":
      throw objectStoreError(
        "UNSUPPORTED",
        `s3://${root.bucket} needs the entry point @karst/objectstore/s3, which this version does not have: use a file: or memory: root`,
      );
  }
}
