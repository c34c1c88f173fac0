import type { AsyncCommand } from "fast-check";
import fc from "fast-check";
import type { LogModel } from "./log-model.ts";
import type { Run } from "./run.ts";
import * as steps from "./steps.ts";
import type { Step, Wait } from "./steps.ts";
import type { Ending, WorldOptions } from "./world.ts";

/** What a run is checked against. */
export type Models = readonly LogModel[];

export type Command = AsyncCommand<Models, Run>;

/** A step with its name, as fast-check prints it. */
class Named implements Command {
  readonly #name: string;
  readonly #step: Step;

  constructor(name: string, step: Step) {
    this.#name = name;
    this.#step = step;
  }

  check(): boolean {
    return true;
  }

  async run(_models: Models, run: Run): Promise<void> {
    run.world.note(this.#name);
    await this.#step(run);
    run.check();
  }

  toString(): string {
    return this.#name;
  }
}

/** An arbitrary of one step, made from arbitrary arguments. */
function command<Args extends readonly unknown[]>(
  name: string,
  step: (...args: Args) => Step,
  ...args: { [K in keyof Args]: fc.Arbitrary<Args[K]> }
): fc.Arbitrary<Command> {
  return fc
    .tuple(...(args as unknown as fc.Arbitrary<unknown>[]))
    .map(
      (drawn) =>
        new Named(
          `${name}(${drawn.map((one) => JSON.stringify(one)).join(", ")})`,
          step(...(drawn as unknown as Args)),
        ),
    );
}

const log = fc.nat(2);
const producer = fc.nat(2);
const where = fc.nat(8).map((n) => n / 8);
const wait = fc.constantFrom<Wait>("no", "turn", "moment", "done");
const ending = fc.constantFrom<Ending>("power", "power", "power-synced", "power-all", "kill");
const batches = fc.record({
  times: fc.constantFrom(1, 1, 3, 12),
  count: fc.constantFrom(1, 1, 2, 7),
  bytes: fc.constantFrom(20, 200, 700, 2500, 5000),
  wait,
});
const gap = fc.constantFrom(0, 0, 0, 7, 5000);

const weighted: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<Command>])[] = [
  [8, command("append", steps.append, log, gap, batches)],
  [8, command("produce", steps.produce, producer, batches)],
  [3, command("resend", steps.resend, producer, fc.nat(4))],
  [1, command("bump", steps.bump, producer)],
  [1, command("takeProducerId", () => steps.takeProducerId)],
  [4, command("read", steps.read, log, where, fc.constantFrom(1, 600, 5000))],
  [2, command("flush", () => steps.flush)],
  [3, command("upload", steps.upload, wait)],
  [3, command("trim", steps.trim, log, where, wait)],
  [2, command("pass", steps.pass, fc.constantFrom(1, 50, 1000, 20_000))],
  [3, command("crash", steps.crash, ending)],
  [3, command("crashAfter", steps.crashAfter, fc.integer({ min: 1, max: 120 }), ending)],
  [1, command("close", () => steps.close)],
  [1, command("supersede", () => steps.supersede)],
  [1, command("abandon", () => steps.abandon)],
  [2, command("zombie", steps.zombie, log, fc.nat(6), fc.constantFrom(100, 900), fc.boolean())],
  [
    2,
    command(
      "haunt",
      steps.haunt,
      log,
      fc.constantFrom("append" as const, "upload" as const, "trim" as const, "read" as const),
      where,
    ),
  ],
  [1, command("race", () => steps.race)],
  [2, command("outage", steps.outage, fc.boolean())],
  [4, command("unreliable", steps.unreliable, fc.constantFrom(true, true, false))],
  [
    1,
    command(
      "failSync",
      steps.failSync,
      fc.constantFrom("lost-sync" as const, "EIO" as const),
      fc.nat(3),
    ),
  ],
  [1, command("fill", steps.fill, fc.boolean())],
];

/** As many times as its weight says. */
export const commands: fc.Arbitrary<Command>[] = weighted.flatMap(([weight, arbitrary]) =>
  Array.from({ length: weight }, () => arbitrary),
);

export const worldOptions: fc.Arbitrary<WorldOptions> = fc.record({
  seed: fc.nat(),
  store: fc.constantFrom("file" as const, "memory" as const),
  tempo: fc.constantFrom("instant" as const, "slow" as const),
});
