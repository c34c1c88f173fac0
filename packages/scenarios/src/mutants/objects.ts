import type { Mutant } from "./mutant.ts";

export const objectMutants: readonly Mutant[] = [
  {
    id: "o-certain-of-what-is-in-doubt",
    invariant: "O5",
    file: "packages/core/src/upload/node-committer.ts",
    from: "if (doubtful.size === 0) waiting = this.#dropImpatient(waiting);",
    to: "waiting = this.#dropImpatient(waiting);",
    harm: "A trim is reported as not done, and takes effect later.",
    worlds: ["cluster"],
  },
  {
    id: "o-shared-object-dereferenced",
    invariant: "O2",
    file: "packages/core/src/upload/dereference.ts",
    from: "for (let i = 0; i < count; i += 1) {",
    to: "for (let i = 0; i < Math.min(count, 1); i += 1) {",
    harm: "Trimming one topic deletes the records of others that share an object with it.",
  },
  {
    id: "o-recovered-generation-skipped",
    invariant: "O4",
    file: "packages/core/src/upload/uploader.ts",
    from: "for (const generation of generations) this.#enqueue(generation);",
    to: "for (const generation of generations.slice(-1)) this.#enqueue(generation);",
    harm: "After a crash with much in the WAL the streams are quarantined at the first upload.",
  },
  {
    id: "o-earlier-attempt-forgotten",
    invariant: "O5",
    file: "packages/core/src/upload/node-committer.ts",
    from: "doubtful.set(id, built);",
    to: "doubtful.clear(); doubtful.set(id, built);",
    harm: "A commit that the store carries out late ends the engine, as if another process had taken its node.",
    worlds: ["cluster"],
  },
  {
    id: "o-opening-forgets-earlier-tries",
    invariant: "O5",
    file: "packages/core/src/recovery/commit-open.ts",
    from: "if (row !== undefined && ids.has(row.value.lastTx)) return row.revision;",
    to: "if (row !== undefined && row.value.lastTx === id) return row.revision;",
    harm: "An opening whose first commit lands late takes itself for another process, and refuses to start.",
    worlds: ["cluster"],
  },
];
