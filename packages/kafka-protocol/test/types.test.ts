import { encodeResponse, fetchApi, metadataApi, produceApi } from "@karst/kafka-protocol";
import type {
  FetchResponse,
  FetchResponseInput,
  MetadataRequest,
  ProduceRequest,
  ProduceResponseInput,
} from "@karst/kafka-protocol";
import { expectTypeOf, test } from "vitest";

test("decoded messages have every field, of exactly its type", () => {
  expectTypeOf<ProduceRequest>().toEqualTypeOf<{
    readonly transactionalId: string | null;
    readonly acks: number;
    readonly timeoutMs: number;
    readonly topicData: readonly {
      readonly name: string;
      readonly topicId: string;
      readonly partitionData: readonly {
        readonly index: number;
        readonly records: Uint8Array | null;
      }[];
    }[];
  }>();
  expectTypeOf<MetadataRequest["topics"]>().toEqualTypeOf<
    readonly { readonly topicId: string; readonly name: string | null }[] | null
  >();
  const decode = () => produceApi.request.decode(9, new Uint8Array(0));
  expectTypeOf(decode).returns.toEqualTypeOf<ProduceRequest>();
  expectTypeOf(produceApi.key).toEqualTypeOf<0>();
});

test("inputs need what every version has and no default covers", () => {
  type Topic = ProduceResponseInput["responses"][number];
  expectTypeOf<{ partitionResponses: [] }>().toExtend<Topic>();
  expectTypeOf<{ name: string }>().not.toExtend<Topic>();
  type Partition = Topic["partitionResponses"][number];
  expectTypeOf<{ index: number; errorCode: number; baseOffset: number }>().toExtend<Partition>();
  expectTypeOf<{ index: number; baseOffset: number }>().not.toExtend<Partition>();
  expectTypeOf<{
    index: number;
    errorCode: number;
    baseOffset: number;
    logStartOffset: string;
  }>().not.toExtend<Partition>();
});

test("records go in as one array or several, and every decoded message is an input", () => {
  type Records = FetchResponseInput["responses"][number]["partitions"][number]["records"];
  expectTypeOf<Records>().toEqualTypeOf<Uint8Array | readonly Uint8Array[] | null>();
  expectTypeOf<FetchResponse>().toExtend<FetchResponseInput>();
  const encode = (message: FetchResponseInput) => fetchApi.response.encode(12, message);
  expectTypeOf(encode).returns.toEqualTypeOf<Uint8Array>();
});

test("a frame's message is that of its API", () => {
  const encode = () =>
    encodeResponse(metadataApi, { apiVersion: 9, correlationId: 1 }, { brokers: [], topics: [] });
  expectTypeOf(encode).returns.toEqualTypeOf<Uint8Array[]>();
  // @ts-expect-error -- topics are missing
  void (() => encodeResponse(metadataApi, { apiVersion: 9, correlationId: 1 }, { brokers: [] }));
});
