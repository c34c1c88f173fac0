import type { Topic, Topics } from "@karst/core";

/** Versions up to `nameMax` of a message name a topic by its name, later ones by its id. */
export function resolveTopic(
  topics: Topics,
  entry: { readonly name: string; readonly topicId: string },
  byId: boolean,
): Topic | undefined {
  return byId ? topics.byId(entry.topicId) : topics.byName(entry.name);
}
