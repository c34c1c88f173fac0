import { defineApi } from "@karst/kafka-protocol";
import type { Api } from "@karst/kafka-protocol";

/** Everything that the notation has, also what no message of ours needs yet. Version 2 is the first flexible one. */
const spec = {
  key: 1000,
  name: "AllTypes",
  versions: "0-4",
  flexibleFrom: 2,
  request: [
    { name: "flag", type: "bool" },
    { name: "small", type: "int8", default: -3 },
    { name: "short", type: "int16" },
    { name: "port", type: "uint16" },
    { name: "whole", type: "int32", versions: "1-3", default: 7 },
    { name: "count", type: "uint32" },
    { name: "wide", type: "int64", versions: "1+", ignorable: true },
    { name: "seek", type: "int64Clamped" },
    { name: "ratio", type: "float64" },
    { name: "id", type: "uuid" },
    { name: "text", type: "string", nullable: "1+" },
    { name: "blob", type: "bytes", nullable: "2-3" },
    { name: "batches", type: "records", nullable: true },
    { name: "more", type: "records" },
    { name: "ids", array: "uuid" },
    { name: "texts", array: "string", nullable: true },
    { name: "blobs", array: "bytes" },
    { name: "flags", array: "bool", versions: "3+" },
    {
      name: "one",
      struct: [
        { name: "default", type: "int32" },
        { name: "inner", struct: [{ name: "new", type: "string", default: "x" }] },
      ],
    },
    { name: "maybe", nullable: true, struct: [{ name: "n", type: "int16" }] },
    {
      name: "later",
      versions: "4+",
      default: null,
      nullable: true,
      struct: [{ name: "left", array: "int8" }],
    },
    {
      name: "rows",
      nullable: "3+",
      array: [
        { name: "i", type: "int32" },
        { name: "o", type: "string", versions: "2+", tag: 1, default: "none" },
        { name: "w", versions: "2+", tag: 0, array: [{ name: "tag", type: "int64", default: -1 }] },
      ],
    },
    { name: "taggedText", type: "string", versions: "2+", tag: 3, nullable: true, default: null },
    { name: "taggedBlob", type: "bytes", versions: "2+", tag: 0 },
    { name: "taggedList", array: "uint16", versions: "3+", tag: 200 },
    {
      name: "taggedStruct",
      versions: "2+",
      tag: 1,
      struct: [
        { name: "a", type: "int32", default: -1 },
        { name: "b", struct: [{ name: "c", type: "bytes" }] },
        { name: "d", array: "string", nullable: true },
      ],
    },
  ],
  response: [],
} as const;

export const allTypesApi: Api<typeof spec> = defineApi(spec);
