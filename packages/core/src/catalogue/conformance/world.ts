import assert from "node:assert/strict";
import { utf8Decode, utf8Encode } from "@karst/runtime";
import type { Catalogue, CommitOutcome, Revision, Transaction } from "../catalogue.ts";

/** Where catalogues under test are. */
export interface CatalogueWorld {
  /** Another instance over the same root, which the first call creates. */
  open(): Promise<Catalogue>;
  /** What can be made to go wrong between the instances and their store; undefined: nothing. */
  readonly faults?: CatalogueFaults;
  /** Ends the world; its instances are closed by then. */
  dispose(): Promise<void>;
}

export interface CatalogueFaults {
  /** From now on commits happen, and their instance cannot learn of it. */
  loseAnswers(): void;
  /** From now on commits never happen, and their instance cannot learn of it. */
  loseRequests(): void;
  /** From now on nothing happens, and everybody knows. */
  refuse(): void;
  heal(): void;
}

export interface CatalogueCase {
  readonly name: string;
  readonly run: (world: OpenWorld) => Promise<void>;
}

/** What the cases use: a world, and everything that they write again and again. */
export class OpenWorld {
  readonly faults: CatalogueFaults | undefined;
  readonly #world: CatalogueWorld;
  readonly #opened: Catalogue[] = [];
  #ids = 0;

  constructor(world: CatalogueWorld) {
    this.#world = world;
    this.faults = world.faults;
  }

  async open(): Promise<Catalogue> {
    const catalogue = await this.#world.open();
    this.#opened.push(catalogue);
    return catalogue;
  }

  async end(): Promise<void> {
    this.faults?.heal();
    for (const catalogue of this.#opened) await catalogue.close();
    await this.#world.dispose();
  }

  /** A transaction with a fresh id. */
  transaction(parts: {
    readonly require?: Readonly<Record<string, number | "absent">>;
    readonly put?: Readonly<Record<string, string>>;
    readonly delete?: readonly string[];
  }): Transaction {
    this.#ids += 1;
    return {
      id: this.#ids.toString(16).padStart(32, "0"),
      require: Object.entries(parts.require ?? {}).map(([key, revision]) => ({
        key,
        revision: revision as Revision | "absent",
      })),
      put: Object.entries(parts.put ?? {}).map(([key, value]) => ({
        key,
        value: utf8Encode(value),
      })),
      delete: parts.delete ?? [],
    };
  }

  put(catalogue: Catalogue, rows: Readonly<Record<string, string>>): Promise<CommitOutcome> {
    return catalogue.commit(this.transaction({ put: rows }));
  }
}

export function textAt(catalogue: Catalogue, key: string): string | undefined {
  const row = catalogue.get(key);
  return row === undefined ? undefined : utf8Decode(row.value);
}

export function revisionOf(outcome: CommitOutcome): Revision {
  assert(outcome.tag === "ok", `the commit ended as ${outcome.tag}`);
  return outcome.revision;
}

export function conflict(key: string): CommitOutcome {
  return { tag: "conflict", key };
}
