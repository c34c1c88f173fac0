import { apis, apiVersionsApi, type AnyApi } from "@karst/kafka-protocol";
import { type Run, type Scenario, since } from "../scenario.ts";

const NAMES = [
  "kafkajs",
  "apache-kafka-java",
  "a",
  "a.b-c",
  "1",
  "",
  "-a",
  "a-",
  "a b",
  "ä",
  "a_b",
];
const UNKNOWN_VERSIONS = [5, 6, 99, 32_767, -1, -32_768];

export const apiVersions: Scenario = {
  apiKey: 18,
  run: async (run) => {
    for (const version of run.versions) {
      for (const name of NAMES) await named(run, version, name, "1.0");
      for (const name of NAMES) await named(run, version, "oracle", name);
    }
    // No schema decodes this key with more than our versions: an unknown one is answered in version 0.
    const api = apis.get(apiVersionsApi.key) as AnyApi;
    for (const version of UNKNOWN_VERSIONS) {
      const rest = new Uint8Array([0, 1, 0x61, 0, 1, 1, 0]);
      await run.pair.raw(`version ${version}`, { api, version, answerVersion: 0 }, rest);
      await run.pair.raw(
        `version ${version}, no client id`,
        { api, version, answerVersion: 0 },
        new Uint8Array([0xff, 0xff, 0, 1, 1, 0]),
      );
    }
    await run.fill(async (version) => {
      const letters = Array.from("abcXYZ019.-_ /ü");
      const word = (): string =>
        Array.from({ length: run.random.integer(0, 12) }, () => run.one(letters)).join("");
      await named(run, version, word(), word());
    });
  },
};

async function named(
  run: Run,
  version: number,
  name: string,
  softwareVersion: string,
): Promise<void> {
  const fields = { clientSoftwareName: name, clientSoftwareVersion: softwareVersion };
  await run.pair.call(
    `software "${name}" "${softwareVersion}"`,
    apiVersionsApi,
    version,
    since(version, 3, fields),
  );
}
