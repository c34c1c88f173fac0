import { dirname } from "node:path";
import { isSegment } from "../../key.ts";
import type { DirectoryEntry } from "@karst/runtime";

/**
 * Ends the names of objects. It is in no key, so that the object `a` and the directory of `a/b` are two names.
 */
const OBJECT_MARK = "@";

/** Where things are: `<directory>/objects/<key>@` and `<directory>/tmp/<name>`. */
export class Layout {
  readonly directory: string;
  readonly objects: string;
  readonly temp: string;

  constructor(directory: string) {
    this.directory = directory;
    const inside = directory.replace(/[/\\]+$/, "");
    this.objects = `${inside}/objects`;
    this.temp = `${inside}/tmp`;
  }

  /** @param key a checked one: its path is then below `objects`. */
  objectPath(key: string): string {
    return `${this.objects}/${key}${OBJECT_MARK}`;
  }

  /** The directory of an object, or of all that begins with a checked prefix. */
  directoryOf(keyOrPrefix: string): string {
    const slash = keyOrPrefix.lastIndexOf("/");
    return slash === -1 ? this.objects : `${this.objects}/${keyOrPrefix.slice(0, slash)}`;
  }

  /** `directory` and all above it, from the inside out. */
  ancestors(): readonly string[] {
    const chain = [this.directory];
    for (;;) {
      const last = chain.at(-1) as string;
      const parent = dirname(last);
      if (parent === last) return chain;
      chain.push(parent);
    }
  }
}

/** What is in one directory of objects: an object, by the end of its key, or what is below a name, ending in a slash. */
export type Listed =
  | { readonly tag: "object"; readonly name: string }
  | { readonly tag: "below"; readonly name: string };

/** Sorted as keys are. What the driver did not make is left out. */
export function listedOf(entries: readonly DirectoryEntry[]): readonly Listed[] {
  const listed: Listed[] = [];
  for (const { name, kind } of entries) {
    const object = name.endsWith(OBJECT_MARK) ? name.slice(0, -OBJECT_MARK.length) : "";
    if (kind === "directory" && isSegment(name)) listed.push({ tag: "below", name: `${name}/` });
    else if (kind === "file" && isSegment(object)) listed.push({ tag: "object", name: object });
  }
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
}
