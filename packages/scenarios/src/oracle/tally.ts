import { type Accepted, acceptedBy } from "./accepted.ts";
import type { Difference } from "./difference.ts";
import type { Plain } from "./normal-form.ts";

/** One request that both brokers were given. */
export interface Comparison {
  readonly apiKey: number;
  readonly version: number;
  /** Of the case. */
  readonly name: string;
  /** As it went to Kafka. */
  readonly request: unknown;
  readonly kafka: Plain;
  readonly karst: Plain;
  readonly differences: readonly Difference[];
}

interface Group {
  readonly path: string;
  readonly kafka: Plain | undefined;
  readonly karst: Plain | undefined;
  times: number;
  readonly versions: Set<number>;
  readonly cases: Set<string>;
  readonly example: { readonly case: string; readonly version: number; readonly request: unknown };
}

interface ApiTally {
  compared: number;
  equal: number;
  /** Not equal, and meant so in every difference. */
  accepted: number;
  differing: number;
  readonly groups: Map<string, Group>;
}

const CASES_PER_GROUP_MAX = 8;
const REQUEST_CHARACTERS_MAX = 1_500;

/** Owns the counts of a run. */
export class Tally {
  readonly #apis = new Map<number, ApiTally>();
  readonly #used = new Set<Accepted>();

  add(comparison: Comparison): void {
    const api = this.#apiOf(comparison.apiKey);
    api.compared += 1;
    if (comparison.differences.length === 0) {
      api.equal += 1;
      return;
    }
    const open = comparison.differences.filter((difference) => {
      const accepted = acceptedBy(comparison, difference);
      if (accepted !== undefined) this.#used.add(accepted);
      return accepted === undefined;
    });
    if (open.length === 0) api.accepted += 1;
    else api.differing += 1;
    for (const difference of open) this.#group(api, comparison, difference);
  }

  compared(apiKey: number): number {
    return this.#apis.get(apiKey)?.compared ?? 0;
  }

  get total(): number {
    return [...this.#apis.values()].reduce((sum, { compared }) => sum + compared, 0);
  }

  /** Accepted differences that this run has met. */
  get used(): ReadonlySet<Accepted> {
    return this.#used;
  }

  get differing(): number {
    return [...this.#apis.values()].reduce((sum, { differing }) => sum + differing, 0);
  }

  /** Counts and groups of an API, as data. */
  report(apiKey: number): {
    readonly compared: number;
    readonly equal: number;
    readonly accepted: number;
    readonly differing: number;
    readonly differences: readonly object[];
  } {
    const { groups, ...counts } = this.#apiOf(apiKey);
    const differences = [...groups.values()]
      .sort((a, b) => b.times - a.times)
      .map(({ versions, cases, ...group }) => ({
        ...group,
        versions: [...versions].sort((a, b) => a - b),
        cases: [...cases],
      }));
    return { ...counts, differences };
  }

  #group(api: ApiTally, comparison: Comparison, difference: Difference): void {
    const { path, kafka, karst } = difference;
    const id = JSON.stringify([path, kafka ?? "absent", karst ?? "absent"]);
    let group = api.groups.get(id);
    if (group === undefined) {
      const { name, version, request } = comparison;
      const example = { case: name, version, request: shortened(request) };
      group = { path, kafka, karst, times: 0, versions: new Set(), cases: new Set(), example };
      api.groups.set(id, group);
    }
    group.times += 1;
    group.versions.add(comparison.version);
    if (group.cases.size < CASES_PER_GROUP_MAX) group.cases.add(comparison.name);
  }

  #apiOf(apiKey: number): ApiTally {
    let api = this.#apis.get(apiKey);
    if (api === undefined) {
      api = { compared: 0, equal: 0, accepted: 0, differing: 0, groups: new Map() };
      this.#apis.set(apiKey, api);
    }
    return api;
  }
}

/** A request as data; bytes in hexadecimal. */
function shortened(request: unknown): unknown {
  const text = JSON.stringify(request, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
  );
  if (text === undefined) return null;
  return text.length <= REQUEST_CHARACTERS_MAX
    ? (JSON.parse(text) as unknown)
    : `${text.slice(0, REQUEST_CHARACTERS_MAX)}…`;
}
