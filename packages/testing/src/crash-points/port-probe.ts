import { crc32c, concatBytes } from "@karst/runtime";
import type { ObjectBody, ObjectInfo, ObjectStore } from "@karst/objectstore";
import type { ActiveFault, DiskEvent, DiskOperation } from "@karst/runtime/testing";
import type { Ending, Machine, Surroundings } from "../world/machine.ts";

/**
 * When, of one call, the machine ends. `before`: it is asked for, and never done. `torn` (a write): a part is done. `sent` (a
 * write to a store far away): on its way; it is done whenever it gets there. `during`: it is done, nobody hears of it. `after`: it
 * is done, its caller goes on with the answer up to the next call, or until he waits.
 */
export type Moment = "before" | "torn" | "sent" | "during" | "after";

/** One thing asked of a port, by what it does and to what: `disk.rename temporary segment`, `store.putIfAbsent catalogue/log`. */
export interface PortCall {
  readonly label: string;
  /** At which the machine can be ended by it. */
  readonly moments: readonly Moment[];
  /** Changes what is there, or makes it durable. */
  readonly isWrite: boolean;
}

/** The `call`-th of those watched, from 1. */
export interface Strike {
  readonly call: number;
  readonly moment: Moment;
  readonly ending: Ending;
}

type Mode =
  | { readonly tag: "idle" }
  | { readonly tag: "waiting"; readonly from: string }
  | { readonly tag: "watching" };

const NEVER: Promise<never> = new Promise(() => undefined);

/**
 * Sees every call that a machine's processes make to its disk and their store, numbers those made while it watches, and ends the
 * machine at one of them.
 *
 * Invariant: at most one strike, and once it has struck nothing is watched any more.
 */
export class PortProbe {
  readonly #machine: Machine;
  /** The store is not on the machine's disk: its requests are calls of a port. */
  readonly #isFar: boolean;
  /** While watching. */
  readonly #calls: PortCall[] = [];
  #mode: Mode = { tag: "idle" };
  #strike: Strike | undefined;
  /** The call is done, and its caller knows: the next one is not made. */
  #isArmed = false;
  #hasStruck = false;
  /** Sequence of the disk's operation at which the strike is to come. */
  #operation: number | undefined;
  #tear: ActiveFault | undefined;
  #last: Surroundings | undefined;
  /** Keys that anybody has tried to write, and the CRC of what. */
  readonly #written = new Map<string, number>();
  readonly #rewritten: string[] = [];

  /** From now on the machine's processes get a store that is looked at. */
  constructor(machine: Machine, options: { readonly isFar: boolean }) {
    this.#machine = machine;
    this.#isFar = options.isFar;
    const before = machine.onDiskOperation;
    machine.onDiskOperation = (event) => {
      before?.(event);
      this.#onDisk(event);
    };
    machine.equip = (given) => (this.#last = { ...given, store: this.#probed(given) });
  }

  /** What the newest process was given. */
  get surroundings(): Surroundings {
    if (this.#last === undefined) throw new TypeError("no process has begun");
    return this.#last;
  }

  get hasStruck(): boolean {
    return this.#hasStruck;
  }

  /** Objects that somebody tried to write twice, with other bytes the second time. */
  get rewritten(): readonly string[] {
    return this.#rewritten;
  }

  /**
   * Begins to number calls, from the first whose label begins with `from`.
   *
   * @param strike where the machine is to end.
   */
  watch(from: string | undefined, strike?: Strike): void {
    this.#mode = from === undefined ? { tag: "watching" } : { tag: "waiting", from };
    this.#strike = strike;
  }

  /** Ends the numbering. @returns the calls. */
  rest(): readonly PortCall[] {
    this.#mode = { tag: "idle" };
    this.#strike = undefined;
    return this.#calls.splice(0);
  }

  /** The machine ends now, where the answer of the call has been got. */
  strikeIfArmed(): void {
    if (this.#isArmed) this.#end();
  }

  #onDisk(event: DiskEvent): void {
    if (event.phase === "before") {
      const moment = this.#begin(() => ({
        label: labelOfDisk(event),
        moments: event.operation === "write" && (event.length ?? 0) > 1 ? TORN : WHOLE,
        isWrite: !DISK_READS.has(event.operation) && event.mode !== "read",
      }));
      if (moment === undefined || moment === "before") return;
      this.#operation = event.sequence;
      if (moment === "torn")
        this.#tear = this.#machine.disk.fault({ on: "write", path: event.path, effect: "EIO" });
    } else if (event.sequence === this.#operation) {
      this.#operation = undefined;
      this.#done();
    }
  }

  /** Counts a call. @returns the moment of the strike, where this is its call. */
  #begin(describe: () => PortCall): Moment | undefined {
    if (this.#isArmed) this.#end();
    if (this.#mode.tag === "idle") return undefined;
    const call = describe();
    if (this.#mode.tag === "waiting") {
      if (!call.label.startsWith(this.#mode.from)) return undefined;
      this.#mode = { tag: "watching" };
    }
    this.#calls.push(call);
    const strike = this.#strike;
    if (strike === undefined || this.#calls.length !== strike.call) return undefined;
    if (strike.moment === "before") this.#end();
    return strike.moment;
  }

  /** The call of the strike has taken effect. */
  #done(): void {
    if (this.#strike?.moment !== "after") {
      this.#end();
      return;
    }
    this.#isArmed = true;
    this.surroundings.runtime.clock.defer(() => this.strikeIfArmed());
  }

  #end(): void {
    const ending = this.#strike?.ending;
    if (ending === undefined) throw new TypeError("there is no strike");
    this.#strike = undefined;
    this.#isArmed = false;
    this.#hasStruck = true;
    this.#mode = { tag: "idle" };
    this.#tear?.cancel();
    this.#machine.crash(ending);
  }

  #probed({ store, life }: Surroundings): ObjectStore {
    const request = async <T>(
      label: string,
      isWrite: boolean,
      send: () => Promise<T>,
    ): Promise<T> => {
      if (!this.#isFar) return send();
      if (life.isOver) return NEVER;
      const moment = this.#begin(() => ({
        label: `store.${label}`,
        moments: isWrite ? SENT : WHOLE,
        isWrite,
      }));
      if (life.isOver) return NEVER;
      const answer = send();
      if (moment === undefined) return answer;
      if (moment === "sent") this.#end();
      try {
        return await answer;
      } finally {
        if (!life.isOver) this.#done();
        // Its answer is lost with the process.
        if (life.isOver) await NEVER;
      }
    };
    async function* list(
      prefix: string,
      options: Parameters<ObjectStore["list"]>[1],
    ): AsyncGenerator<ObjectInfo, void, undefined> {
      const entries = store.list(prefix, options)[Symbol.asyncIterator]();
      let next = await request(`list ${kindOf(prefix)}`, false, () => entries.next());
      for (; next.done !== true; next = await entries.next()) yield next.value;
    }
    return {
      capabilities: store.capabilities,
      location: store.location,
      put: (key, body, options) =>
        request(`put ${kindOf(key)}`, true, () => store.put(key, this.#noted(key, body), options)),
      putIfAbsent: (key, body, options) =>
        request(`putIfAbsent ${kindOf(key)}`, true, () =>
          store.putIfAbsent(key, this.#noted(key, body), options),
        ),
      putIfMatch: (key, body, etag, options) =>
        request(`putIfMatch ${kindOf(key)}`, true, () =>
          store.putIfMatch(key, body, etag, options),
        ),
      get: (key, options) => request(`get ${kindOf(key)}`, false, () => store.get(key, options)),
      head: (key, options) => request(`head ${kindOf(key)}`, false, () => store.head(key, options)),
      list,
      delete: (keys, options) =>
        request(`delete ${kindOf(keys[0] ?? "")}`, true, () => store.delete(keys, options)),
      createMultipart: (key, options) =>
        request(`createMultipart ${kindOf(key)}`, true, () => store.createMultipart(key, options)),
      close: () => store.close(),
    };
  }

  /** Slots of the catalogue's log are contended for; an object's key is one writer's alone. */
  #noted(key: string, body: ObjectBody): ObjectBody {
    if (!key.startsWith("objects/")) return body;
    const crc = crc32c(body instanceof Uint8Array ? body : concatBytes(body));
    const before = this.#written.get(key);
    if (before !== undefined && before !== crc) this.#rewritten.push(key);
    this.#written.set(key, crc);
    return body;
  }
}

const WHOLE: readonly Moment[] = ["before", "during", "after"];
const TORN: readonly Moment[] = ["before", "torn", "during", "after"];
const SENT: readonly Moment[] = ["before", "sent", "during", "after"];

const DISK_READS: ReadonlySet<DiskOperation> = new Set(["read", "size", "close", "list", "stat"]);

function labelOfDisk({ operation, path, to }: DiskEvent): string {
  const names = to === undefined ? [path] : [path, to];
  return `disk.${operation} ${names.map((name) => kindOf(name)).join(" to ")}`;
}

/** What sort of file or object it is: its name without numbers, ids, and the directory that it is in. */
function kindOf(name: string): string {
  const sort = name
    .replace(/^\/data\//, "")
    .replaceAll(/[0-9a-f]{32}|\d{2,}|(?<=fence-)\d+/g, "#")
    .replaceAll(/(?:[/-]#)+/g, "");
  return sort === "" ? "/" : sort;
}
