import {
  type Engine,
  openStateStream,
  type StateStream,
  type StateStreamLimits,
} from "@karst/core";
import { utf8Decode, utf8Encode } from "@karst/runtime";
import { World } from "../engine/world.ts";

/** Small enough that a few writes take parts, snapshots and trims. */
export const TINY_STATE_LIMITS: Partial<StateStreamLimits> = {
  imageBytesMax: 16 * 1024,
  writeBytesMax: 4 * 1024,
  partBytesMax: 100,
  snapshotBytesMin: 600,
};

/** An engine with one state, and what outlives them. */
export class StateWorld {
  readonly world: World;
  engine!: Engine;
  state!: StateStream;

  private constructor(seed: number) {
    this.world = new World(seed);
  }

  static async open(seed = 1): Promise<StateWorld> {
    const world = new StateWorld(seed);
    await world.#open();
    return world;
  }

  async crash(): Promise<void> {
    this.world.runtime.disk.crash();
    await this.engine.abandon();
    await this.#open();
  }

  async restart(): Promise<void> {
    await this.state.close();
    await this.engine.close();
    await this.#open();
  }

  async close(): Promise<void> {
    await this.state.close();
    await this.engine.close();
  }

  /** undefined: the key goes. Not waited for. */
  write(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
    const list = Object.entries(changes).map(([key, value]) => ({
      key: utf8Encode(key),
      value: value === undefined ? undefined : utf8Encode(value),
    }));
    const { durable } = this.state.write(list);
    // The caller's bytes are the caller's again.
    for (const { key, value } of list) {
      key.fill(0);
      value?.fill(0);
    }
    return durable;
  }

  get content(): Map<string, string> {
    return new Map(
      [...this.state.entries()].map(({ key, value }) => [utf8Decode(key), utf8Decode(value)]),
    );
  }

  async #open(): Promise<void> {
    this.engine = await this.world.open();
    const options = { engine: this.engine, kind: "groups", limits: TINY_STATE_LIMITS } as const;
    this.state = await openStateStream(options);
  }
}
