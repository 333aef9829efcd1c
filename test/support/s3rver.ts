import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

/** A server of S3 from npm, which has no types. */
export interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}

const Server = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver;

/** What it takes for credentials. */
export const s3Credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
export const s3Environment = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };

/** A server with these buckets below a folder, on a free port once it runs. */
export const openS3rver = (directory: string, buckets: readonly string[]): S3rver =>
  new Server({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory },
    configureBuckets: buckets.map((name) => ({ name })),
  });
