import { type Files, isKarstError } from "@karst/runtime";
import { objectStoreError } from "../../errors.ts";
import { isRefusal } from "./failures.ts";
import type { Layout } from "./layout.ts";

/**
 * Makes the store's directories exist durably.
 *
 * `objects` is made last, when all above it is durable: who finds it needs to sync but the directory that it is in.
 *
 * @throws KarstError `STORE_UNFIT` (`invalid`) where something else than a directory is in the way.
 */
export async function prepareDirectories(files: Files, layout: Layout): Promise<void> {
  for (const path of [layout.directory, layout.objects, layout.temp]) {
    const kind = (await files.stat(path))?.kind;
    // The root itself may be a link to where the space is.
    if (kind === "file" || (kind === "other" && path !== layout.directory)) {
      throw objectStoreError(
        "STORE_UNFIT",
        `${path} is not a directory: choose another root, or move it away`,
      );
    }
  }
  if ((await files.stat(layout.objects)) === undefined) await makeRoot(files, layout);
  await files.makeDirectory(layout.temp);
  await files.makeDirectory(layout.objects);
  await files.syncDirectory(layout.directory);
}

async function makeRoot(files: Files, layout: Layout): Promise<void> {
  const [directory = layout.directory, ...above] = layout.ancestors();
  const path = [directory, ...above];
  const present = await Promise.all(
    path.map(async (ancestor) => (await files.stat(ancestor)) !== undefined),
  );
  await files.makeDirectory(directory);
  for (const [index, parent] of above.entries()) {
    try {
      await files.syncDirectory(parent);
    } catch (error) {
      // Directories far above may be closed to us. What they hold was there before; only of what was made here do we know.
      if (present[index] !== true || !isKarstError(error) || !isRefusal(error)) throw error;
    }
  }
}
