import type { Catalogue, CatalogueRow, Revision } from "../catalogue/catalogue.ts";
import type { NodeRow } from "../catalogue/rows/node-row.ts";
import type { RowKind } from "../catalogue/rows/row.ts";

type Write = { readonly tag: "put"; readonly value: Uint8Array } | { readonly tag: "delete" };

/**
 * A transaction while it is put together: the catalogue's image with this transaction's writes on top. Several contributions
 * build on one draft, each seeing what those before it wrote.
 */
export class Draft {
  /** The committing node's own record, as this transaction will write it. */
  node: NodeRow;
  readonly #image: Pick<Catalogue, "get">;
  readonly #under: Draft | undefined;
  readonly #require = new Map<string, Revision | "absent">();
  readonly #writes = new Map<string, Write>();

  constructor(image: Pick<Catalogue, "get">, node: NodeRow, under?: Draft) {
    this.#image = image;
    this.#under = under;
    this.node = node;
  }

  /** The value of a row: this transaction's, else the image's. Does not require anything. */
  read<Id, Value>(kind: RowKind<Id, Value>, id: Id): Value | undefined {
    const key = kind.key(id);
    const write = this.#written(key);
    if (write !== undefined) return write.tag === "put" ? kind.decode(write.value) : undefined;
    return kind.get(this.#source, id)?.value;
  }

  /** The same, and the transaction happens only if the row is still as the image has it. */
  require<Id, Value>(kind: RowKind<Id, Value>, id: Id): Value | undefined {
    const key = kind.key(id);
    this.#require.set(key, this.#image.get(key)?.revision ?? "absent");
    return this.read(kind, id);
  }

  put<Id, Value>(kind: RowKind<Id, Value>, id: Id, value: Value): void {
    const { key, value: bytes } = kind.put(id, value);
    this.#writes.set(key, { tag: "put", value: bytes });
  }

  delete<Id, Value>(kind: RowKind<Id, Value>, id: Id): void {
    this.#writes.set(kind.key(id), { tag: "delete" });
  }

  /** A draft on top of this one, to try a contribution on: `adopt` it, or let it go. */
  fork(): Draft {
    return new Draft(this.#image, this.node, this);
  }

  adopt(fork: Draft): void {
    this.node = fork.node;
    for (const [key, revision] of fork.#require) this.#require.set(key, revision);
    for (const [key, write] of fork.#writes) this.#writes.set(key, write);
  }

  /** Whether anything but the node's record is written. */
  get isEmpty(): boolean {
    return this.#writes.size === 0;
  }

  get requirements(): { readonly key: string; readonly revision: Revision | "absent" }[] {
    return [...this.#require].map(([key, revision]) => ({ key, revision }));
  }

  get puts(): { readonly key: string; readonly value: Uint8Array }[] {
    return [...this.#writes].flatMap(([key, write]) =>
      write.tag === "put" ? [{ key, value: write.value }] : [],
    );
  }

  get deletes(): string[] {
    return [...this.#writes].flatMap(([key, write]) => (write.tag === "delete" ? [key] : []));
  }

  get #source(): { get(key: string): CatalogueRow | undefined; scan(): Iterable<CatalogueRow> } {
    return { get: (key) => this.#image.get(key), scan: () => [] };
  }

  #written(key: string): Write | undefined {
    const write = this.#writes.get(key);
    return write !== undefined || this.#under === undefined ? write : this.#under.#written(key);
  }
}
