import assert from "node:assert/strict";
import { test } from "vitest";
import { nearest, suggestion } from "../src/nearest.ts";

test("the nearest word", () => {
  const words = ["port", "root", "host", "advertised"];
  assert.equal(nearest("prot", words), "port");
  assert.equal(nearest("ROOT", words), "root");
  assert.equal(nearest("ad", words), "advertised");
  assert.equal(nearest("xyzzy", words), undefined);
  assert.equal(suggestion("hots", words), "; did you mean host?");
  assert.equal(suggestion("xyzzy", words), "; there are: port, root, host, advertised");
});
