import assert from "node:assert/strict";
import { test } from "vitest";
import { type SentCommit, OffsetBook } from "../../src/groups/offset-book.ts";
import { type PartitionModel, TopicModel } from "../../src/kafka/topic-model.ts";
import { World } from "../../src/world/world.ts";

const NEVER = { ageMs: 100, times: [] };

/** A book, and moments that go on with each thing that is done. */
class Scene {
  readonly book = new OffsetBook("g", new World({ seed: 1, store: "memory", tempo: "instant" }));
  #moment = 0;
  #number = 0;

  topic(generation: number, partitions = 1): TopicModel {
    const topic = new TopicModel("t", generation, partitions);
    topic.state = "live";
    return topic;
  }

  commit(
    partition: PartitionModel,
    offset: number,
    how: { readonly byName?: boolean; readonly wasRead?: boolean } = {},
  ): SentCommit {
    const { byName = false, wasRead = true } = how;
    const draft = { partition, offset, number: (this.#number += 1) };
    return this.book.commit(draft, { byName, wasRead, lane: 1 }, this.#asking());
  }

  done({ write }: SentCommit): void {
    write.settled("done", (this.#moment += 1));
  }

  fetched(partition: PartitionModel, found: SentCommit | undefined): void {
    const asking = this.#asking();
    const answeredAt = (this.#moment += 1);
    this.book.fetched(partition, found, { ...asking, answeredAt, answeredMs: answeredAt });
  }

  anomalies(): string[] {
    return [...this.book.anomalies(NEVER)].map(({ anomaly }) => anomaly.kind);
  }

  #asking() {
    this.#moment += 1;
    return { sentAt: this.#moment, sentMs: this.#moment };
  }
}

function first({ partitions }: TopicModel): PartitionModel {
  return partitions[0] as PartitionModel;
}

test("who begins at a commit has been given, or its group has, everything below it", () => {
  const scene = new Scene();
  const partition = first(scene.topic(0));
  scene.book.delivered(partition, 0, 4);
  scene.book.begun(partition, scene.commit(partition, 4));
  assert.throws(() => scene.book.begun(partition, scene.commit(partition, 6)), /^.*CG7.*read 4$/);
  scene.book.delivered(partition, 5, 6);
  assert.throws(() => scene.book.begun(partition, scene.commit(partition, 6)), /CG7/);
  partition.trimAsked = 5;
  scene.book.begun(partition, scene.commit(partition, 6));
  partition.highWatermark = 7;
  assert.throws(() => scene.book.checkRead(partition), /CG7/);
});

test("what an outsider commits may be passed over", () => {
  const scene = new Scene();
  const partition = first(scene.topic(0));
  scene.book.begun(partition, scene.commit(partition, 6, { wasRead: false }));
  scene.book.begun(partition, scene.commit(partition, 6));
});

test("an offset is told for the topic that it was committed for", () => {
  const scene = new Scene();
  const [before, after] = [scene.topic(0, 2), scene.topic(1, 2)];
  const commit = scene.commit(first(before), 3);
  scene.done(commit);
  before.state = "gone";
  assert.throws(() => scene.fetched(first(after), commit), /P6/);
  assert.throws(() => scene.fetched(first(after), { ...commit, offset: 4 }), /CG1/);
  assert.throws(() => scene.fetched(first(after), { ...commit, number: 77 }), /CG2/);
});

test("a commit that names its topic may reach the next one, as long as nobody knows what became of it", () => {
  const scene = new Scene();
  const [before, after] = [scene.topic(0), scene.topic(1)];
  const lost = scene.commit(first(before), 3, { byName: true });
  const settled = scene.commit(first(before), 3, { byName: true });
  scene.done(settled);
  before.state = "gone";
  scene.fetched(first(after), lost);
  assert.throws(() => scene.fetched(first(after), settled), /P6/);
  assert.deepEqual(scene.anomalies(), []);
  // It was told, and refused after all.
  lost.write.settled("refused", 100);
  assert.deepEqual(scene.anomalies(), ["void"]);
});

test("a deletion of the group that is on its way reaches topics that come later", () => {
  const scene = new Scene();
  const deletion = scene.book.groupDeletion({ sentAt: 0, sentMs: 0 });
  const partition = first(scene.topic(1));
  scene.done(scene.commit(partition, 1));
  scene.fetched(partition, undefined);
  assert.deepEqual(scene.anomalies(), []);
  deletion.settled("refused", 100);
  assert.deepEqual(scene.anomalies(), ["lost"]);
});
