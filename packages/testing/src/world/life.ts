import type { ObjectInfo, ObjectStore } from "@karst/objectstore";
import type { Clock, Timer } from "@karst/runtime";

/** A process's stay in the world. From its end on nothing that it waits for ever comes, and none of its timers runs. */
export class Life {
  readonly over: Promise<void>;
  #end: () => void = () => undefined;
  #isOver = false;

  constructor() {
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
    this.#end();
  }

  /** The promise's outcome, if it comes in this life. */
  lived<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => {
          if (!this.#isOver) resolve(value);
        },
        (error: unknown) => {
          if (!this.#isOver) reject(error);
        },
      );
    });
  }
}

/** The world's clock as one process has it. */
export class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #life: Life;

  constructor(clock: Clock, life: Life) {
    this.#clock = clock;
    this.#life = life;
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    return this.#clock.setTimer(delayMs, () => {
      if (!this.#life.isOver) fn();
    });
  }

  defer(fn: () => void): void {
    this.#clock.defer(() => {
      if (!this.#life.isOver) fn();
    });
  }
}

/**
 * The world's object store as one process has it: a request that is on its way when the process ends may take effect, its answer
 * goes nowhere.
 *
 * @param onRequest told before each request; may end the life.
 * @param arrived resolves when the answer to a get, which is there, is to come. Default: at once.
 */
export function mortalStore(
  store: ObjectStore,
  life: Life,
  onRequest: () => void,
  arrived?: (key: string) => Promise<void>,
): ObjectStore {
  const request = <T>(send: () => Promise<T>): Promise<T> => {
    if (!life.isOver) onRequest();
    return life.isOver ? new Promise(() => undefined) : life.lived(send());
  };
  async function* list(
    prefix: string,
    options: Parameters<ObjectStore["list"]>[1],
  ): AsyncGenerator<ObjectInfo, void, undefined> {
    await request(() => Promise.resolve());
    const entries = store.list(prefix, options)[Symbol.asyncIterator]();
    for (;;) {
      const next = await life.lived(entries.next());
      if (next.done === true) return;
      yield next.value;
    }
  }
  return {
    capabilities: store.capabilities,
    location: store.location,
    put: (key, body, options) => request(() => store.put(key, body, options)),
    putIfAbsent: (key, body, options) => request(() => store.putIfAbsent(key, body, options)),
    putIfMatch: (key, body, etag, options) =>
      request(() => store.putIfMatch(key, body, etag, options)),
    get: (key, options) =>
      request(async () => {
        const bytes = await store.get(key, options);
        await arrived?.(key);
        return bytes;
      }),
    head: (key, options) => request(() => store.head(key, options)),
    list,
    delete: (keys, options) => request(() => store.delete(keys, options)),
    createMultipart: (key, options) => request(() => store.createMultipart(key, options)),
    close: () => request(() => store.close()),
  };
}
