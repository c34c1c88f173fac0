import { NAMED_ELEMENTS, type Plain } from "./normal-form.ts";

/** Where two answers in normal form are not the same. */
export interface Difference {
  /** From the message down: `topics[].partitions[].errorCode`, `apiKeys[9].maxVersion`. */
  readonly path: string;
  /** Absent: there is no such element. */
  readonly kafka?: Plain;
  readonly karst?: Plain;
}

export function differences(kafka: Plain, karst: Plain, path = ""): readonly Difference[] {
  if (Object.is(kafka, karst)) return [];
  if (Array.isArray(kafka) && Array.isArray(karst)) return ofArrays(kafka, karst, path);
  if (isObject(kafka) && isObject(karst)) {
    const names = new Set([...Object.keys(kafka), ...Object.keys(karst)]);
    return [...names].flatMap((name) =>
      ofOptional(kafka[name], karst[name], path === "" ? name : `${path}.${name}`),
    );
  }
  return [{ path, kafka, karst }];
}

function ofArrays(
  kafka: readonly Plain[],
  karst: readonly Plain[],
  path: string,
): readonly Difference[] {
  const key = NAMED_ELEMENTS.get(path.slice(path.lastIndexOf(".") + 1));
  if (key !== undefined) {
    const named = (elements: readonly Plain[]): Map<string, Plain> =>
      new Map(
        elements.map((element) => [
          JSON.stringify((element as Record<string, Plain>)[key]).replaceAll('"', ""),
          element,
        ]),
      );
    const [ofKafka, ofKarst] = [named(kafka), named(karst)];
    const names = new Set([...ofKafka.keys(), ...ofKarst.keys()]);
    return [...names].flatMap((name) =>
      ofOptional(ofKafka.get(name), ofKarst.get(name), `${path}[${name}]`),
    );
  }
  if (kafka.length !== karst.length)
    return [{ path: `${path}.length`, kafka: kafka.length, karst: karst.length }];
  return kafka.flatMap((element, at) => differences(element, karst[at] as Plain, `${path}[]`));
}

function ofOptional(
  kafka: Plain | undefined,
  karst: Plain | undefined,
  path: string,
): readonly Difference[] {
  if (kafka === undefined) return karst === undefined ? [] : [{ path, karst }];
  return karst === undefined ? [{ path, kafka }] : differences(kafka, karst, path);
}

function isObject(value: Plain): value is { readonly [name: string]: Plain } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
