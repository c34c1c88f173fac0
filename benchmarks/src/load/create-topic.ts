import { once } from "node:events";
import { connect } from "node:net";
import { createTopicsApi, decodeResponseHeader, encodeRequest } from "@karst/kafka-protocol";
import { concatBytes } from "@karst/runtime";
import { Frames } from "./frames.ts";

const VERSION = 5;

export async function createTopic(port: number, name: string, partitions: number): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    const frames = new Frames((frame) => resolve(frame.slice(4)));
    socket.on("data", (chunk) => frames.push(chunk));
    socket.on("close", () => reject(new Error("the connection was closed")));
  });
  const request = encodeRequest(
    createTopicsApi,
    { apiVersion: VERSION, correlationId: 1, clientId: "load" },
    {
      topics: [
        { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] },
      ],
      timeoutMs: 30_000,
    },
  );
  socket.write(concatBytes(request));
  const frame = await answer;
  const { bodyAt } = decodeResponseHeader(createTopicsApi.responseHeaderVersion(VERSION), frame);
  const response = createTopicsApi.response.decode(VERSION, frame.subarray(bodyAt));
  const failed = response.topics.find((topic) => topic.errorCode !== 0);
  if (failed !== undefined) throw new Error(`topic ${name}: error ${failed.errorCode}`);
  socket.destroy();
}
