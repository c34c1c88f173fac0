import { Seeded } from "../seeded.ts";
import { Book, type Crossed } from "./book.ts";
import { Life } from "./life.ts";
import type { Level, Report, Start } from "./protocol.ts";

/** What a life that does nothing is given before the run fails. */
const PATIENCE_MS = 60_000;
/** Of all lives: those that are ended while they open, or read what is there. */
const OPENING_SHARE = 0.04;
const OPENING_MS_MAX = 60;
const ACKS_MAX = 60;
const PAUSE_MS_MAX = 6;
const SEED_MAX = 2 ** 31;
const LAST_APPENDS = 100;

/** Where lives are led, and what ends them. */
export interface Place {
  readonly directory: string;
  /** Ends the life, with what it takes along. Resolves when the next may begin. */
  crash(life: Life): Promise<void>;
}

export interface CrashLoopOptions {
  readonly seed: number;
  readonly crashes: number;
  /** Asked before each crash; false: there were enough. */
  readonly goOn?: () => boolean;
  readonly place: Place;
  readonly level: Level;
  readonly device: "worker" | "inline";
  /** Arguments of Node: a deliberate bug. */
  readonly nodeArgs?: readonly string[];
}

export interface CrashCounts {
  readonly crashes: number;
  /** Crashes that met appends without an answer. */
  readonly inFlight: number;
  readonly checkedOperations: number;
  readonly crossed: Crossed;
}

/** Crashes one life after the other, each checked by the next; the last two read, close, and read again. */
export async function crashLoop(options: CrashLoopOptions): Promise<CrashCounts> {
  const { seed, crashes, place, goOn = () => true } = options;
  const random = new Seeded(seed);
  const book = new Book(options.level);
  let inFlight = 0;
  let crash = 0;
  // Always one ahead: it loads while the one before it works.
  let spare = new Life(options);
  try {
    for (; crash < crashes && goOn(); crash += 1) {
      const life = spare;
      spare = new Life(options);
      await lead(life, book, startOf(options, book, random), momentOf(random));
      await place.crash(life);
      if (book.inFlight > 0) inFlight += 1;
      book.died();
    }
    for (const appends of [LAST_APPENDS, 0]) {
      const life = spare;
      spare = new Life(options);
      await lead(life, book, startOf(options, book, random, appends), undefined);
      book.died();
    }
  } catch (error) {
    throw new Error(
      `seed ${seed}, crash ${crash}, ${options.level}, ${place.directory}: ${String(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    await spare.kill();
  }
  const { checkedOperations, crossed } = book;
  return { crashes: crash, inFlight, checkedOperations, crossed };
}

/** When a life ends: some time after its beginning, or after so many answers since it has read everything. */
type Moment =
  | { readonly tag: "opening"; readonly ms: number }
  | { readonly tag: "appending"; readonly acks: number; readonly ms: number };

function momentOf(random: Seeded): Moment {
  if (random.fraction() < OPENING_SHARE)
    return { tag: "opening", ms: random.integer(0, OPENING_MS_MAX) };
  const acks = random.integer(0, ACKS_MAX);
  return { tag: "appending", acks, ms: Math.max(0, random.integer(-PAUSE_MS_MAX, PAUSE_MS_MAX)) };
}

function startOf(options: CrashLoopOptions, book: Book, random: Seeded, appends?: number): Start {
  const { level, device, place } = options;
  const { nextId: firstId } = book;
  const seed = random.integer(0, SEED_MAX);
  const { directory } = place;
  return { directory, level, device, seed, firstId, producers: book.producers(), appends };
}

/**
 * Begins a life and notes what it says.
 *
 * @param moment resolves then, alive; undefined: at its own end.
 * @throws what the book says; Error where the life ends otherwise.
 */
async function lead(
  life: Life,
  book: Book,
  start: Start,
  moment: Moment | undefined,
): Promise<void> {
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, run: () => void): void => void timers.push(setTimeout(run, ms));
  let acks = 0;
  let due = false;
  try {
    await new Promise<void>((resolve, reject) => {
      const note = (report: Report): void => {
        book.note(report);
        if (report.tag === "failed") throw new Error(`the engine has failed: ${report.reason}`);
        if (moment === undefined) {
          if (report.tag === "closed") life.dead.then(() => resolve(), reject);
        } else if (moment.tag === "appending" && book.complete && !due) {
          if (report.tag === "acks") acks += report.acks.length;
          if (acks < moment.acks) return;
          due = true;
          if (moment.ms === 0) resolve();
          else after(moment.ms, resolve);
        }
      };
      life.begin(start, (report) => {
        try {
          note(report);
        } catch (error) {
          reject(error);
        }
      });
      if (moment?.tag === "opening") after(moment.ms, resolve);
      after(PATIENCE_MS, () => reject(new Error(`nothing happens; ${life.complaints}`)));
      life.dead.then(({ code, signal }) => {
        if (moment !== undefined || code !== 0)
          reject(new Error(`the process ended with ${code ?? signal}: ${life.complaints}`));
      }, reject);
    });
  } catch (error) {
    await life.kill();
    throw error;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}
