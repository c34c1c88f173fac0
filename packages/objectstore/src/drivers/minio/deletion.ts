import { element, escaped } from "./xml.ts";

/** What deletes many objects. Source: Amazon S3 API reference, "DeleteObjects". */
export function deletionXml(keys: readonly string[]): string {
  const objects = keys.map((key) => `<Object><Key>${escaped(key)}</Key></Object>`);
  return `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects.join("")}</Delete>`;
}

/**
 * The codes of the keys that are left. The `removeObjects` of `minio` finds none in whatever is no `DeleteResult`.
 *
 * @throws Error where the text is no complete result.
 */
export function deletionErrors(xml: string): readonly string[] {
  const result = /<DeleteResult[^>]*(?:\/>|>(.*)<\/DeleteResult>)/s.exec(xml);
  if (result === null) throw new Error("an answer to a delete is no DeleteResult");
  const errors = (result[1] ?? "").matchAll(/<Error>(.*?)<\/Error>/gs);
  return Array.from(errors, ([, error = ""]) => element(error, "Code") ?? "unknown");
}
