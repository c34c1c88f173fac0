import { isKarstError } from "@karst/runtime";
import type { WalPosition } from "@karst/wal";
import type { QuickRandom } from "./quick-random.ts";
import { patiently } from "./patience.ts";
import type { WalProcess } from "./wal-process.ts";
import type { WalWorld } from "./wal-world.ts";

/**
 * What an owner does with its WAL, while it has it.
 *
 * Invariant: ids of frames are given once, also over processes.
 */
export class WalLoad {
  /** Operations whose outcome was compared with what it must be. */
  checked = 0;
  readonly #world: WalWorld;
  readonly #random: QuickRandom;
  #nextId = 1;
  /** What nobody waited for has failed as nothing may. */
  #defect: Error | undefined;

  constructor(world: WalWorld, random: QuickRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** Of the newest process. @returns why it was refused. */
  append(bytes: number, process: WalProcess | undefined = this.#world.newest): string | undefined {
    if (process?.wal === undefined) return undefined;
    const { sometimes, swarm } = this.#world;
    const refusal = process.append(this.#nextId, bytes);
    this.checked += 1;
    if (refusal === undefined) this.#nextId += 1;
    else sometimes.add(`append refused ${refusal}`);
    const { pendingBytes } = process.wal;
    const most = swarm.limits.pendingBytesMax as number;
    // One frame alone may be larger than the limit.
    this.#world.invariants.check(
      "W10",
      pendingBytes <= Math.max(most, swarm.payloadMax + 64),
      () => `${pendingBytes} bytes are pending, the limit is ${most}`,
    );
    return refusal;
  }

  /** Also of a process that does not know yet that it was succeeded. */
  appendAnywhere(bytes: number): void {
    const { stale } = this.#world;
    if (stale.length > 0) this.append(bytes, this.#random.pick(stale));
  }

  /** Waits for everything appended, within reason: on a full disk it would be for ever. */
  async flush(): Promise<void> {
    const wal = this.#world.newest?.wal;
    if (wal !== undefined) await patiently(this.#world.clock, wal.flush());
  }

  /** The owner records the trim, then trims. */
  async trimTo(fraction: number, waits = true): Promise<void> {
    const world = this.#world;
    const { history, newest } = world;
    const wal = newest?.wal;
    if (wal === undefined || history.durable === 0) return;
    // What was found but not reported by this process is durable as well.
    const index = Math.min(Math.floor(fraction * history.durable), history.durable - 1);
    const entry = history.entries[index];
    if (entry === undefined) return;
    // Either edge of a frame is as good.
    const position = fraction > 0.5 ? entry.end : entry.start;
    if (position > wal.durablePosition || position <= world.trim) return;
    world.recordTrim(position as WalPosition);
    const trimmed = wal.trim(world.trim);
    if (waits) {
      await patiently(world.clock, trimmed);
      return;
    }
    // Its owner may end meanwhile.
    trimmed.catch((error: unknown) => {
      if (!isKarstError(error)) this.#defect ??= error as Error;
    });
  }

  /** Reads one frame back. */
  async read(fraction: number): Promise<void> {
    const { history, newest, disk, clock } = this.#world;
    const wal = newest?.wal;
    const entry =
      history.entries[history.first + Math.floor(fraction * (history.durable - history.first))];
    if (wal === undefined || entry === undefined || newest?.failure !== undefined) return;
    if (entry.end > wal.durablePosition) return;
    const read = wal.read(entry.start as WalPosition).then(
      (frame) => {
        this.checked += 1;
        this.#world.invariants.check(
          "W6",
          frame.streamId === entry.id,
          () => `read ${frame.streamId} at ${entry.start}, where ${entry.id} was appended`,
        );
        return true;
      },
      (error: unknown) => {
        if (!isKarstError(error)) throw error;
        return (
          error.code === "IO_ERROR" ||
          error.kind === "closed" ||
          error.kind === "fenced" ||
          entry.start < this.#world.trim
        );
      },
    );
    const fine = await patiently(clock, read);
    const harmed = disk.isHarmed || disk.sprung;
    this.#world.invariants.check(
      "W1",
      fine !== false || harmed,
      () => `frame ${entry.id} at ${entry.start} cannot be read`,
    );
  }

  /** @throws what nobody waited for. */
  check(): void {
    if (this.#defect !== undefined) throw this.#defect;
  }
}
