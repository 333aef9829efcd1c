import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { ApiError } from '@footlights/model';

/** Where recordings are kept. */
export interface Buckets {
  /** Resolves when recordings can be written into the bucket; throws an ApiError when they can't. */
  open(name: string): Promise<void>;
}

/** S3's rules for the names of buckets, which keep a path built from one inside its folder. */
const bucketName = /^[a-z0-9](?!.*\.\.)[a-z0-9.-]*[a-z0-9]$/;

/** Whether S3 allows the name, as far as it matters here. */
export const isBucketName = (name: string): boolean => name.length <= 63 && bucketName.test(name);

function checkName(name: string): void {
  if (bucketName.test(name)) return;
  throw new ApiError(
    'ValidationException',
    `Value '${name}' at 's3.bucketName' failed to satisfy constraint: Member must begin and end with a letter or digit and must not hold two dots in a row`,
  );
}

/** Buckets that are folders inside one folder, made when they are first named. */
export class BucketFolders implements Buckets {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async open(name: string): Promise<void> {
    checkName(name);
    await mkdir(join(this.#root, name), { recursive: true, mode: 0o700 });
  }
}

/** Where S3 is; credentials are found as AWS's SDK finds them. */
export interface S3Options {
  /** Of a server that speaks S3; absent: AWS. */
  endpoint?: string;
  region: string;
}

/** Buckets of S3, or of a server that speaks it. They are not made: each must be there. */
export class S3Buckets implements Buckets {
  readonly #options: S3Options;
  #client: Promise<S3Client> | undefined;

  constructor(options: S3Options) {
    this.#options = options;
  }

  async open(name: string): Promise<void> {
    checkName(name);
    const { HeadBucketCommand } = await import('@aws-sdk/client-s3');
    this.#client ??= this.#connect();
    try {
      await (await this.#client).send(new HeadBucketCommand({ Bucket: name }));
    } catch (error) {
      throw refusal(name, error);
    }
  }

  /** The client is loaded with the first bucket: most servers never name one. */
  async #connect(): Promise<S3Client> {
    const { S3Client } = await import('@aws-sdk/client-s3');
    const { endpoint, region } = this.#options;
    // Servers other than AWS seldom have a host name for each bucket.
    return new S3Client({ region, ...(endpoint && { endpoint, forcePathStyle: true }) });
  }
}

/** S3's answer to HeadBucket has no body: the status says all. */
function refusal(name: string, error: unknown): unknown {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const why = { 301: 'it is in another region', 403: 'this server may not use it', 404: 'there is no such bucket' };
  if (status === undefined || !(status in why)) return error;
  return new ApiError('ValidationException', `The bucket ${name} cannot be used: ${why[status as keyof typeof why]}`);
}
