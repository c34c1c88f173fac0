export {
  type BucketCredentials,
  type BucketOptions,
  type CredentialsProvider,
} from "../bucket/settings.ts";
export { minioObjectStore } from "./minio-object-store.ts";
