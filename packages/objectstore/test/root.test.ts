import { MemoryBucket, type ObjectStore, openRoot, parseRoot, type Root } from "@karst/objectstore";
import { hasCode } from "@karst/runtime";
import { SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";

const VALID: Readonly<Record<string, Root>> = {
  "memory:": { scheme: "memory", name: undefined },
  "memory:name": { scheme: "memory", name: "name" },
  "memory:a.b_c-9": { scheme: "memory", name: "a.b_c-9" },
  "file:./karst-data": { scheme: "file", directory: "./karst-data" },
  "file:karst-data": { scheme: "file", directory: "karst-data" },
  "file:../x": { scheme: "file", directory: "../x" },
  "file:/var/lib/karst": { scheme: "file", directory: "/var/lib/karst" },
  "file:///var/lib/karst": { scheme: "file", directory: "/var/lib/karst" },
  "file:/with space/ünï%20": { scheme: "file", directory: "/with space/ünï%20" },
  "file:C:\\data": { scheme: "file", directory: "C:\\data" },
  "s3://bucket": { scheme: "s3", bucket: "bucket", prefix: undefined },
  "s3://bucket/": { scheme: "s3", bucket: "bucket", prefix: undefined },
  "s3://my.bucket-1/some/prefix": { scheme: "s3", bucket: "my.bucket-1", prefix: "some/prefix" },
  "minio://bucket/p": { scheme: "minio", bucket: "bucket", prefix: "p" },
  "s3://bucket/p?": { scheme: "s3", bucket: "bucket", prefix: "p" },
  "s3://bucket/p?endpoint=http://127.0.0.1:9000&region=eu-1&pathStyle=false&ca=/etc/ca.pem&payload=signed":
    {
      scheme: "s3",
      bucket: "bucket",
      prefix: "p",
      query: {
        endpoint: "http://127.0.0.1:9000",
        region: "eu-1",
        pathStyle: false,
        ca: "/etc/ca.pem",
        payload: "signed",
      },
    },
  "s3://bucket?endpoint=https%3A%2F%2Fs3.example": {
    scheme: "s3",
    bucket: "bucket",
    prefix: undefined,
    query: { endpoint: "https://s3.example" },
  },
  "s3://bucket/prefix/": { scheme: "s3", bucket: "bucket", prefix: "prefix" },
};

/** What is wrong, and the root that is suggested, if one is. */
const INVALID: readonly (readonly [url: string, fault: RegExp, suggestion: string | undefined])[] =
  [
    ["", /a root is needed/, "file:./karst-data"],
    ["karst-data", /no scheme/, "file:./karst-data"],
    ["./karst-data", /no scheme/, "file:./karst-data"],
    ["../x", /no scheme/, "file:../x"],
    ["/var/lib/karst", /no scheme/, "file:/var/lib/karst"],
    ["./a:b", /no scheme/, "file:./a:b"],
    [".", /no scheme/, "file:."],
    ["memory", /no scheme/, "memory:"],
    ["s3", /no scheme/, "s3://bucket/prefix"],
    [":x", /no scheme/, "file:./:x"],
    ["C:\\data", /no scheme/, "file:C:\\data"],
    ["memroy:", /scheme 'memroy' is unknown/, "memory:"],
    ["Memory:x", /unknown/, "memory:x"],
    ["mem:", /unknown/, undefined],
    ["flie:./data", /unknown/, "file:./data"],
    ["FILE:/data", /unknown/, "file:/data"],
    ["files:/data", /unknown/, "file:/data"],
    ["s4://bucket/prefix", /unknown/, "s3://bucket/prefix"],
    ["S3://bucket", /unknown/, "s3://bucket"],
    ["https://example.com/x", /unknown/, undefined],
    ["postgres://x", /unknown/, undefined],
    ["memory:a b/c", /a name is 1 to 64/, "memory:abc"],
    ["memory://x", /a name is/, "memory:x"],
    ["file:", /names no directory/, "file:./karst-data"],
    ["file://", /names no directory/, "file:./karst-data"],
    ["file://host/path", /no host/, "file:./host/path"],
    ["file://./path", /no host/, "file:./path"],
    ["file:a\0b", /NUL/, "file:./ab"],
    ["file:~/data", /'~' is not expanded/, undefined],
    ["s3:bucket/prefix", /begins with s3:\/\//, "s3://bucket/prefix"],
    ["s3:/bucket/prefix", /begins with s3:\/\//, "s3://bucket/prefix"],
    ["s3:///bucket", /begins with s3:\/\//, "s3://bucket"],
    ["s3://", /bucket's name/, "s3://bucket/prefix"],
    ["s3://ab", /bucket's name/, "s3://bucket/prefix"],
    ["s3://My-Bucket/p", /bucket's name/, "s3://my-bucket/p"],
    ["s3://a..b/p", /bucket's name/, "s3://bucket/prefix"],
    ["s3://bucket//a/./b", /empty segment/, "s3://bucket/a/b"],
    ["minio:bucket", /begins with minio:\/\//, "minio://bucket"],
    ["mino://bucket", /unknown/, "minio://bucket"],
    ["s3://bucket/p?pathstyle=true", /is pathStyle meant\?/, undefined],
    ["s3://bucket/p?colour=red", /there are endpoint, region/, undefined],
    ["s3://bucket/p?pathStyle=yes", /true or false/, undefined],
    ["s3://bucket/p?payload=", /signed or unsigned/, undefined],
    ["s3://bucket/p?region=", /region is empty/, undefined],
    ["s3://bucket/p?region=a&region=b", /twice/, undefined],
    ["s3://bucket/p?endpoint=host:9000", /an endpoint is http/, undefined],
    ["s3://bucket/p?endpoint=http://user:secret@host", /an endpoint is http/, undefined],
    ["s3://bucket/a b/c", /only A-Z/, "s3://bucket/c"],
  ];

test("every form of a root parses", () => {
  for (const [url, root] of Object.entries(VALID)) assert.deepEqual(parseRoot(url), root, url);
});

test("a root that is none says why, and suggests the nearest that is one", () => {
  for (const [url, fault, suggestion] of INVALID) {
    assert.throws(
      () => parseRoot(url),
      (error: Error) => {
        assert.ok(hasCode(error, "INVALID_ROOT"), `${url}: ${error.message}`);
        assert.match(error.message, fault, url);
        const suggested = /did you mean (".*")\?$/.exec(error.message)?.[1];
        assert.equal(
          suggested === undefined ? undefined : JSON.parse(suggested),
          suggestion,
          error.message,
        );
        return true;
      },
      url,
    );
    if (suggestion !== undefined) assert.ok(parseRoot(suggestion));
  }
  assert.throws(() => parseRoot(undefined as unknown as string), { code: "INVALID_ROOT" });
});

test("a root opens with the driver of its scheme", async () => {
  const random = new SeededRandom(1);
  const disk = new SimulatedDisk({ random });
  const shared = new MemoryBucket();
  const options = { files: disk.files, random, bucket: () => shared };
  const openAt = (url: string): Promise<ObjectStore> => openRoot(parseRoot(url), options);
  assert.equal((await openAt("file:/data")).location, "file:/data");
  const [one, two] = [await openAt("memory:x"), await openAt("memory:x")];
  await one.put("a", []);
  assert.ok((await two.head("a")) !== undefined);
  const own = await openAt("memory:");
  assert.equal(await own.head("a"), undefined);
  for (const scheme of ["s3", "minio"]) {
    const store = await openAt(`${scheme}://bucket/p?endpoint=http://127.0.0.1:1`);
    assert.equal(store.location, `${scheme}://bucket/p`);
    await store.close();
  }
  await assert.rejects(openAt("s3://bucket?ca=./no/such/file"), { code: "INVALID_ROOT" });
  await assert.rejects(openAt("minio://bucket?payload=signed"), { code: "INVALID_ROOT" });
});

test("a root with a secret is refused, and the message does not repeat it", () => {
  for (const name of ["secretAccessKey", "AWS_SESSION_TOKEN", "password"]) {
    assert.throws(
      () => parseRoot(`s3://bucket/p?region=r&${name}=hunter2`),
      (error: Error) => hasCode(error, "INVALID_ROOT") && !error.message.includes("hunter2"),
    );
  }
});
