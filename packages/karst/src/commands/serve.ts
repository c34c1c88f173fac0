import type { Runtime } from "@karst/runtime";
import { consoleLogger, nodeRuntime } from "@karst/runtime/node";
import type { Engine } from "../api/engine.ts";
import { EngineHandle } from "../engine-handle.ts";
import { type EngineParts, openParts } from "../open-parts.ts";
import type { Command, CommandIo } from "./command.ts";
import { type Address, type ServeOptions, serveOptions } from "./serve-options.ts";

const HELP = `karst serve: a Kafka-compatible broker over a Karst engine

  --port PORT           where clients connect; 0 takes a free one (default 9092)
  --host HOST           which address to listen on (default 127.0.0.1)
  --advertised HOST[:PORT]
                        what clients are told to connect to (default: where it listens)
  --data DIR            keep objects and WAL in this directory (default ./karst-data); short for --root file:DIR
  --root URL            keep objects here instead: file:DIR, s3://BUCKET/PREFIX, minio://BUCKET/PREFIX, or
                        memory: (nothing outlives the process)
  --wal URL             keep the WAL here: file:DIR (default: the folder wal of a file: root)
  --abandon-wal ID      accept the loss of what only this WAL holds
  --limit NAME=NUMBER   override a limit, such as uploadBytes=16777216; may be repeated
  --group-initial-rebalance-delay-ms MS
                        how long the first members of a group are waited for (default 3000)
  --log LEVEL           debug, info, warn or error, to standard error (default info)
  --help                this text`;

/** Runs until it is asked to stop (0), or until the engine fails (1). */
export const serve: Command = {
  name: "serve",
  summary: "a Kafka-compatible broker",
  help: HELP,
  run: async (args, io) => {
    const options = serveOptions(args);
    if (options.help) {
      io.out(HELP);
      return 0;
    }
    const runtime = nodeRuntime({ log: consoleLogger(options.log) });
    const parts = await openParts({ ...options.open, runtime });
    const engine = new EngineHandle(parts);
    try {
      const { listen } = await import("../kafka.ts");
      const { advertised, groupInitialRebalanceDelayMs } = options;
      const { host, port } = await listen(engine, {
        ...options.listen,
        advertised,
        groupInitialRebalanceDelayMs,
      });
      for (const line of greeting({ host, port }, options, parts)) io.out(line);
      return await untilEnded(engine, runtime, io);
    } finally {
      await engine.close();
    }
  },
};

async function untilEnded(engine: Engine, runtime: Runtime, io: CommandIo): Promise<number> {
  const ended = await Promise.race([
    io.stopped.then((signal) => ({ tag: "stopped", signal }) as const),
    engine.failed.then((error) => ({ tag: "failed", error }) as const),
  ]);
  if (ended.tag === "stopped") {
    runtime.log.info("stopping", { signal: ended.signal });
    return 0;
  }
  io.err(
    `The engine has failed: ${ended.error.message}. Start again: what was acknowledged is recovered.`,
  );
  return 1;
}

/** Listener, root, WAL, and a line to paste. */
function greeting(listen: Address, options: ServeOptions, parts: EngineParts): readonly string[] {
  const address = text(options.advertised ?? listen);
  return [
    `Karst listens on ${text(listen)}`,
    `  root  ${parts.root}`,
    `  WAL   ${parts.wal}`,
    "",
    "Try it:",
    `  echo hello | kcat -b ${address} -t greetings -P && kcat -b ${address} -t greetings -C -o beginning -e`,
    "",
  ];
}

function text({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
