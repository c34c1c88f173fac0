import {
  clusterFamily,
  type Family,
  groupsFamily,
  kafkaFamily,
  logFamily,
  steadyFamily,
  walFamily,
} from "@karst/testing";

/** All there are, in the order in which they are usually run. */
export const FAMILIES: readonly Family[] = [
  logFamily,
  steadyFamily,
  clusterFamily,
  kafkaFamily,
  groupsFamily,
  walFamily,
];

/** @throws Error that names those there are. */
export function familyNamed(name: string): Family {
  const family = FAMILIES.find((one) => one.name === name);
  if (family !== undefined) return family;
  throw new Error(`no family "${name}"; there are ${FAMILIES.map((one) => one.name).join(", ")}`);
}
