import type { Files, Random } from "@karst/runtime";
import { fileObjectStore } from "./drivers/file/file-object-store.ts";
import { memoryObjectStore } from "./drivers/memory.ts";
import type { Pace } from "./drivers/file/temp-files.ts";
import type { MemoryBucket } from "./drivers/memory-bucket.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Root } from "./root.ts";
import { prefixedObjectStore } from "./wrappers/prefixed.ts";

export interface OpenRootOptions {
  readonly files: Files;
  readonly random: Random;
  /** Of a root that is a directory: see `fileObjectStore`. */
  readonly pace?: Pace;
  /** The bucket of a named memory root; the same name must give the same bucket. */
  readonly bucket: (name: string) => MemoryBucket;
}

/**
 * The store at a root. Drivers other than those of memory and files are loaded here, on first use.
 *
 * @throws KarstError `UNSUPPORTED` (`invalid`) naming the package that the root's driver needs; `INVALID_ROOT` (`invalid`).
 */
export async function openRoot(root: Root, options: OpenRootOptions): Promise<ObjectStore> {
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
        ...(options.pace && { pace: options.pace }),
      });
    case "s3":
    case "minio": {
      const { openBucket } = await import("./drivers/bucket/open-bucket.ts");
      const store = await openBucket(root.scheme, root.bucket, root.query ?? {});
      return root.prefix === undefined ? store : prefixedObjectStore(store, root.prefix);
    }
  }
}
