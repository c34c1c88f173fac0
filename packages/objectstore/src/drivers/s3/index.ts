export {
  type BucketCredentials,
  type BucketOptions,
  type CredentialsProvider,
} from "../bucket/settings.ts";
export { s3ObjectStore } from "./s3-object-store.ts";
