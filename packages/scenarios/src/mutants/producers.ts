import type { Mutant } from "./mutant.ts";

export const producerMutants: readonly Mutant[] = [
  {
    id: "ip-state-cut-inside-append",
    invariant: "IP4",
    file: "packages/core/src/upload/uploader.ts",
    from: "if (pressed || cache.isFull(limits.uploadBytes)) this.#scheduleCut();",
    to: "if (pressed || cache.isFull(limits.uploadBytes)) this.#cut();",
    harm: "After a restart the batch that filled an upload is not known: its retry is written twice, or refused.",
  },
  {
    id: "ip-state-ahead-of-its-data",
    invariant: "IP4",
    file: "packages/core/src/upload/uploader.ts",
    from: "await durability.reached(generation.endPosition);",
    to: "await durability.reached(generation.endPosition); for (const id of generation.states.keys()) generation.states.set(id, this.#stateOf(logs.get(id)) ?? new Uint8Array(0));",
    harm: "The state in an object knows batches that are not in it: after a crash they are taken for duplicates, and lost.",
  },
  {
    id: "ip-own-object-without-state",
    invariant: "IP4",
    file: "packages/core/src/upload/plan.ts",
    from: 'objects.push({ kind: "stream", streams: [stream] });',
    to: 'objects.push({ kind: "stream", streams: [{ ...stream, state: undefined }] });',
    harm: "A large stream's state is not written: trimmed batches' producers are forgotten, and their retries written twice.",
  },
  {
    id: "ip-duplicate-of-wrapped-batch",
    invariant: "IP2",
    file: "packages/core/src/partition/stream-partition-log.ts",
    from: "const count = sequenceCount(original.baseSequence, original.lastSequence);",
    to: "const count = original.lastSequence - original.baseSequence + 1;",
    harm: "A retry of the batch in which a producer's sequences wrap is told offsets before the log's first one.",
  },
  {
    id: "ip-sequence-not-wrapped",
    invariant: "IP3",
    file: "packages/core/src/partition/partition-state.ts",
    from: "lastSequence: sequenceAfter(baseSequence, readLastOffsetDelta(view)),",
    to: "lastSequence: baseSequence + readLastOffsetDelta(view),",
    harm: "A producer whose sequences wrap inside a batch is refused for ever after the next restart.",
  },
];
