import type { ObjectInfo } from "../../object-store.ts";
import type { ListedPage } from "../bucket/bucket-calls.ts";
import { element } from "./xml.ts";

/**
 * What a `ListBucketResult` has of objects. The parser of `minio` takes a key that looks like a number for one: `007` comes back
 * as 7. Source: Amazon S3 API reference, "ListObjectsV2".
 *
 * @throws Error where the text is no complete result.
 */
export function listedPage(xml: string): ListedPage {
  const result = /<ListBucketResult[^>]*>(.*)<\/ListBucketResult>/s.exec(xml)?.[1];
  if (result === undefined) throw new Error("an answer to a list is no ListBucketResult");
  const objects: ObjectInfo[] = [];
  for (const [, entry = ""] of result.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
    const bytes = Number(element(entry, "Size") ?? Number.NaN);
    const key = element(entry, "Key");
    if (key === undefined || !Number.isSafeInteger(bytes))
      throw new Error("an entry of a list has no key or no size");
    objects.push({ key, bytes, etag: element(entry, "ETag") ?? "" });
  }
  const head = result.replaceAll(/<Contents>.*?<\/Contents>/gs, "");
  if (element(head, "IsTruncated") !== "true") return { objects, next: undefined };
  const next = element(head, "NextContinuationToken");
  if (next === undefined) throw new Error("a list goes on and does not say where");
  return { objects, next };
}
