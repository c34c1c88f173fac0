import type { StoredPart } from "../bucket/bucket-calls.ts";
import { element, escaped } from "./xml.ts";

/** What completes an upload. Source: Amazon S3 API reference, "CompleteMultipartUpload". */
export function completionXml(parts: readonly StoredPart[]): string {
  const entries = parts.map(({ number, etag, crc32c }) => {
    const checksum = crc32c === undefined ? "" : `<ChecksumCRC32C>${crc32c}</ChecksumCRC32C>`;
    return `<Part><PartNumber>${number}</PartNumber><ETag>${escaped(etag)}</ETag>${checksum}</Part>`;
  });
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${entries.join("")}</CompleteMultipartUpload>`;
}

/** @throws Error unless the upload has become an object: a server may find that out after it has answered with 200. */
export function checkCompletion(xml: string): void {
  if (/<CompleteMultipartUploadResult[\s>]/.test(xml) && element(xml, "ETag") !== undefined) return;
  const code = element(xml, "Code");
  throw new Error(
    code === undefined ? "an answer to a completion is none" : `the completion failed: ${code}`,
  );
}
