import { coreError } from "../errors.ts";

/** Kafka's bound: a name, a partition number and a suffix fit in a file name. */
export const TOPIC_NAME_LENGTH_MAX = 249;

/** @throws KarstError `INVALID_TOPIC_NAME` (`invalid`), saying why. */
export function checkTopicName(name: string): void {
  if (name === "") throw illegal(name, "is empty");
  if (name === "." || name === "..") throw illegal(name, 'must not be "." or ".."');
  if (name.length > TOPIC_NAME_LENGTH_MAX) {
    throw illegal(
      name.slice(0, 32),
      `has ${name.length} characters, at most ${TOPIC_NAME_LENGTH_MAX} are allowed`,
    );
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name))
    throw illegal(name, "may have letters, digits, '.', '_' and '-' only");
}

/** What two names share that cannot exist beside each other: metrics of Kafka's tools write "." as "_". */
export function foldedName(name: string): string {
  return name.replaceAll(".", "_");
}

function illegal(name: string, why: string): Error {
  return coreError("INVALID_TOPIC_NAME", `topic name ${JSON.stringify(name)} ${why}`);
}
