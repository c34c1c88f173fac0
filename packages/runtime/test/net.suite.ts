import { type Connection, hasCode, type Listener, type Net } from "@karst/runtime";
import assert from "node:assert/strict";

/** Declares one test: vitest's or `node:test`'s `test`. */
export type Declare = (title: string, body: () => void | Promise<void>) => void;

export interface NetUnderTest {
  readonly net: Net;
  /** A client's end, not started yet. */
  connect(port: number): Connection;
  /** Waits in the time that this network lives in. */
  until<T>(promise: Promise<T>): Promise<T>;
}

/** Records what a connection's handlers are told, and lets a test wait for it. */
class Recorder {
  readonly connection: Connection;
  readonly events: string[] = [];
  received: number[] = [];
  receivedBytes = 0;
  error: Error | undefined;
  readonly #until: NetUnderTest["until"];
  #changed: (() => void) | undefined;

  constructor(
    connection: Connection,
    fixture: NetUnderTest,
    options: { readonly keep?: boolean } = {},
  ) {
    this.connection = connection;
    this.#until = (promise) => fixture.until(promise);
    connection.start({
      data: (chunk) => {
        if (options.keep !== false) this.received.push(...chunk);
        this.receivedBytes += chunk.length;
        this.note("data");
      },
      drain: () => this.note("drain"),
      end: () => this.note("end"),
      closed: (error) => {
        this.error = error;
        this.note("closed");
      },
    });
  }

  note(event: string): void {
    this.events.push(event);
    this.#changed?.();
  }

  /** Waits until the condition holds; it is looked at after every event. */
  async wait(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await this.#until(
        new Promise<void>((resolve) => {
          this.#changed = resolve;
        }),
      );
    }
  }

  has(event: string, times = 1): boolean {
    return this.events.filter((seen) => seen === event).length >= times;
  }

  waitFor(event: string, times = 1): Promise<void> {
    return this.wait(() => this.has(event, times));
  }
}

const sequence = (length: number, from = 0): Uint8Array =>
  new Uint8Array(length).map((_, i) => (from + i) % 251);

/** What every implementation of `Net` does. */
export function netSuite(options: {
  readonly name: string;
  readonly declare: Declare;
  readonly create: () => NetUnderTest;
}): void {
  const { name, declare, create } = options;

  interface Pair {
    readonly fixture: NetUnderTest;
    readonly listener: Listener;
    readonly server: Recorder;
    readonly client: Recorder;
  }

  const connected = async (options: { readonly keep?: boolean } = {}): Promise<Pair> => {
    const fixture = create();
    let accept: (server: Recorder) => void = () => undefined;
    const accepted = new Promise<Recorder>((resolve) => {
      accept = resolve;
    });
    const listener = await fixture.until(
      fixture.net.listen({ host: "127.0.0.1", port: 0 }, (connection) =>
        accept(new Recorder(connection, fixture, options)),
      ),
    );
    const client = new Recorder(fixture.connect(listener.port), fixture, options);
    return { fixture, listener, client, server: await fixture.until(accepted) };
  };

  /** Runs a test on a fresh pair; it must leave the two closed or ended. */
  const check = (
    title: string,
    body: (pair: Pair) => Promise<void>,
    options: { readonly keep?: boolean } = {},
  ): void => {
    declare(`${name}: ${title}`, async () => {
      const pair = await connected(options);
      await body(pair);
      for (const side of [pair.server, pair.client]) side.connection.destroy();
      for (const side of [pair.server, pair.client]) {
        await side.waitFor("closed");
        assert.equal(side.events.at(-1), "closed");
        assert.equal(side.has("closed", 2), false);
      }
      await pair.listener.close();
    });
  };

  check(
    "what is written arrives, in order, both ways, from several parts and from shared memory",
    async ({ client, server }) => {
      const shared = new Uint8Array(new SharedArrayBuffer(3_000));
      shared.set(sequence(3_000));
      client.connection.write([shared.subarray(0, 1), new Uint8Array(0), shared.subarray(1)], () =>
        client.note("first"),
      );
      client.connection.write([sequence(70_000, 3_000)], () => client.note("second"));
      server.connection.write([Uint8Array.of(1, 2), Uint8Array.of(3)]);
      await server.wait(() => server.receivedBytes === 73_000);
      await client.wait(() => client.receivedBytes === 3 && client.has("second"));
      assert.deepEqual(Uint8Array.from(server.received), sequence(73_000));
      assert.deepEqual(client.received, [1, 2, 3]);
      assert.ok(client.events.indexOf("first") < client.events.indexOf("second"));
      assert.equal(client.connection.queuedBytes, 0);
      assert.match(server.connection.peer, /^.+:\d+$/);
    },
  );

  check(
    "written is never called inside write, and a write of nothing counts too",
    async ({ client }) => {
      let inside = true;
      client.connection.write([], () => client.note(inside ? "inside" : "empty"));
      client.connection.write([Uint8Array.of(1)], () => client.note(inside ? "inside" : "written"));
      inside = false;
      await client.waitFor("written");
      await client.waitFor("empty");
      assert.equal(client.has("inside"), false);
    },
  );

  check(
    "a peer that does not read makes write return false, and drain follows when it does",
    async ({ client, server }) => {
      server.connection.pause();
      const block = sequence(1024 * 1024);
      let written = 0;
      for (let i = 0; i < 24; i += 1) {
        const accepted = client.connection.write([block], () => {
          written += 1;
          client.note("written");
        });
        assert.equal(accepted, false);
      }
      assert.ok(client.connection.queuedBytes > 0);
      assert.equal(client.has("drain"), false);
      server.connection.resume();
      await client.waitFor("drain");
      await server.wait(() => server.receivedBytes === 24 * block.length);
      await client.waitFor("written", 24);
      assert.equal(written, 24);
      assert.equal(client.connection.queuedBytes, 0);
    },
    { keep: false },
  );

  check(
    "end sends what is queued; the other side sees the end after it, and may end too: nobody sees an error",
    async ({ client, server }) => {
      client.connection.write([sequence(200_000)], () => client.note("written"));
      client.connection.end();
      client.connection.end();
      await server.waitFor("end");
      assert.deepEqual(Uint8Array.from(server.received), sequence(200_000));
      server.connection.write([Uint8Array.of(9)]);
      server.connection.end();
      await client.waitFor("closed");
      await server.waitFor("closed");
      assert.deepEqual([client.error, server.error], [undefined, undefined]);
      assert.deepEqual(client.received, [], "after end nothing is delivered");
      assert.equal(client.has("written"), true);
    },
  );

  check("a paused side that ends does not wait to be resumed", async ({ client, server }) => {
    server.connection.pause();
    client.connection.write([sequence(1_000)]);
    client.connection.end();
    server.connection.end();
    await client.waitFor("closed");
    await server.waitFor("closed");
    assert.deepEqual([client.error, server.error], [undefined, undefined]);
    assert.equal(server.receivedBytes, 0);
  });

  check(
    "every written callback comes before closed, also when the connection dies first",
    async ({ client, server }) => {
      server.connection.pause();
      let calls = 0;
      for (let i = 0; i < 40; i += 1) {
        client.connection.write([sequence(500_000), sequence(10)], () => {
          calls += 1;
          client.note("written");
        });
      }
      client.connection.destroy();
      client.connection.destroy();
      await client.waitFor("closed");
      assert.equal(calls, 40);
      assert.equal(client.events.at(-1), "closed");
    },
  );

  check(
    "a write after the end or death is dropped, and its callback comes all the same",
    async ({ client }) => {
      client.connection.end();
      assert.equal(
        client.connection.write([Uint8Array.of(1)], () => client.note("after end")),
        false,
      );
      await client.waitFor("after end");
      client.connection.destroy();
      assert.equal(
        client.connection.write([Uint8Array.of(1)], () => client.note("after destroy")),
        false,
      );
      await client.waitFor("after destroy");
      await client.waitFor("closed");
      assert.equal(client.connection.write([Uint8Array.of(1)]), false);
      assert.equal(client.events.at(-1), "closed");
    },
  );

  check("the other side notices a destroyed connection", async ({ client, server }) => {
    server.connection.destroy();
    await client.wait(() => client.has("end") || client.has("closed"));
    for (let i = 0; !client.has("closed") && i < 100; i += 1) {
      client.connection.write([Uint8Array.of(1)], () => client.note(`written ${i}`));
      await client.wait(() => client.has(`written ${i}`));
    }
    assert.ok(client.error !== undefined || !client.has("closed"));
  });

  check("pause stops delivery, resume continues it where it was", async ({ client, server }) => {
    server.connection.pause();
    client.connection.write([Uint8Array.of(1)], () => client.note("written"));
    await client.waitFor("written");
    client.connection.write([Uint8Array.of(2)], () => client.note("written"));
    await client.waitFor("written", 2);
    assert.deepEqual(server.received, []);
    server.connection.resume();
    await server.wait(() => server.receivedBytes === 2);
    assert.deepEqual(server.received, [1, 2]);
  });

  check(
    "a closed listener accepts nobody, and its connections live on",
    async ({ fixture, listener, client, server }) => {
      await fixture.until(listener.close());
      await fixture.until(listener.close());
      const late = new Recorder(fixture.connect(listener.port), fixture);
      await late.waitFor("closed");
      assert.match(String(late.error), /ECONNREFUSED/);
      client.connection.write([Uint8Array.of(5)]);
      await server.waitFor("data");
      const again = await fixture.until(
        fixture.net.listen({ host: "127.0.0.1", port: listener.port }, () => undefined),
      );
      assert.equal(again.port, listener.port);
      await fixture.until(again.close());
    },
  );

  check("an address in use is refused by its name", async ({ fixture, listener }) => {
    assert.equal(listener.host, "127.0.0.1");
    const address = { host: "127.0.0.1", port: listener.port };
    await assert.rejects(
      fixture.until(fixture.net.listen(address, () => undefined)),
      (error) =>
        hasCode(error, "ADDRESS_IN_USE") && error.message.includes(`127.0.0.1:${listener.port}`),
    );
  });

  check("a connection starts once", async ({ client }) => {
    assert.throws(
      () => client.connection.start({ data() {}, drain() {}, end() {}, closed() {} }),
      TypeError,
    );
    await Promise.resolve();
  });

  declare(`${name}: a connection can be refused without being started`, async () => {
    const fixture = create();
    const listener = await fixture.until(
      fixture.net.listen({ host: "127.0.0.1", port: 0 }, (connection) => connection.destroy()),
    );
    const client = new Recorder(fixture.connect(listener.port), fixture);
    await client.wait(() => client.has("end") || client.has("closed"));
    client.connection.destroy();
    await client.waitFor("closed");
    await fixture.until(listener.close());
  });
}
