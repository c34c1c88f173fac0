import type { Exchange } from "./exchange.ts";

/*
 * Whether an answer of success is an S3 server's own, and not the page of something in between: a portal, a proxy. SDKs do not
 * look.
 */

/** @throws Error unless the answer names the object's version, as it does to a put, a get and a head. */
export function checkVersioned({ outcome }: Exchange): void {
  if (outcome.tag !== "answered" || outcome.headers.etag === undefined)
    throw new Error("the answer has no etag: it is no S3 server's");
}

/** @throws Error unless the answer is that to a delete. */
export function checkRemoved({ outcome }: Exchange): void {
  if (outcome.tag !== "answered" || outcome.status !== 204)
    throw new Error("the answer to a delete has not the status 204: it is no S3 server's");
}

/** Whether it is a server's answer; of one without a body the headers have to tell. */
export function isOwn({ outcome }: Exchange): boolean {
  return outcome.tag === "answered" && outcome.headers["x-amz-request-id"] !== undefined;
}
