import {
  type AnyApi,
  apis,
  type Field,
  type Fields,
  openRequest,
  type PrimitiveName,
  ZERO_UUID,
} from "@karst/kafka-protocol";
import { concatBytes } from "@karst/runtime";
import type { Target } from "./target.ts";

const BATCH = new Uint8Array(90).fill(3);

/** A request and a response of each version of each API: as a frame with its header, and as a message alone. */
export const kafkaTargets: readonly Target[] = [...apis.values()].flatMap((api) => [
  {
    name: `${api.name} request`,
    samples: versionsOf(api).flatMap((version) =>
      [0, 1, 3].map((elements) => requestOf(api, version, elements)),
    ),
    decode: (frame: Uint8Array) => {
      const opened = openRequest(frame);
      if (opened.tag === "request")
        opened.api.request.decode(opened.header.apiVersion, opened.body);
    },
  },
  {
    name: `${api.name} response`,
    // The first byte says which version the rest is.
    samples: versionsOf(api).flatMap((version) =>
      [0, 2].map((elements) =>
        concatBytes([
          Uint8Array.of(version),
          api.response.encode(version, message(api.response.fields, version, elements)),
        ]),
      ),
    ),
    decode: (bytes: Uint8Array) => {
      const version = bytes[0];
      if (version === undefined || !api.supports(version)) return;
      api.response.decode(version, bytes.subarray(1));
    },
  },
]);

function versionsOf({ versions: { min, max } }: AnyApi): number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => min + i);
}

function requestOf(api: AnyApi, version: number, elements: number): Uint8Array {
  const body = api.request.encode(version, message(api.request.fields, version, elements));
  const clientId = Buffer.from("fuzz");
  const head = Buffer.alloc(
    8 + 2 + clientId.length + (api.requestHeaderVersion(version) === 2 ? 1 : 0),
  );
  head.writeInt16BE(api.key, 0);
  head.writeInt16BE(version, 2);
  head.writeInt32BE(99, 4);
  head.writeInt16BE(clientId.length, 8);
  clientId.copy(head, 10);
  return concatBytes([Uint8Array.from(head), body]);
}

/** A message of a version, with so many elements in each array. */
function message(fields: Fields, version: number, elements: number): never {
  const value = Object.fromEntries(
    fields
      .filter((field) => within(field.versions, version))
      .map((field) => [field.name, valueOf(field, version, elements)]),
  );
  return value as never;
}

function valueOf(field: Field, version: number, elements: number): unknown {
  if ("array" in field) {
    const { array } = field;
    return Array.from({ length: elements }, () =>
      typeof array === "string" ? primitive(array) : message(array, version, elements),
    );
  }
  if ("struct" in field) return message(field.struct, version, elements);
  return primitive(field.type);
}

function primitive(name: PrimitiveName): unknown {
  switch (name) {
    case "bool":
      return true;
    case "string":
      return "name";
    case "uuid":
      return ZERO_UUID;
    case "bytes":
    case "records":
      return BATCH;
    case "int8":
    case "int16":
    case "uint16":
    case "int32":
    case "uint32":
    case "int64":
    case "int64Clamped":
    case "float64":
      return 5;
  }
}

function within(versions: string | undefined, version: number): boolean {
  if (versions === undefined) return true;
  const [min, max] = versions.endsWith("+")
    ? [versions.slice(0, -1), Infinity]
    : versions.split("-");
  return version >= Number(min) && version <= Number(max);
}
