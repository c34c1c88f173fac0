import type { Files } from "@karst/runtime";
import type { Directories } from "./directories.ts";
import type { DurableKeys } from "./durable-keys.ts";
import type { Layout } from "./layout.ts";

/** The names of a store's objects, and what is known of their durability: its publisher, reader and remover share them. */
export interface Names {
  readonly files: Files;
  readonly layout: Layout;
  readonly directories: Directories;
  readonly keys: DurableKeys;
}
