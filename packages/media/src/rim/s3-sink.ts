import type { S3Client, S3ClientConfig, S3ServiceException } from '@aws-sdk/client-s3';
import { type Sink, SinkError } from '../record/sink.ts';

/** Bytes above which an object is uploaded in parts of this size, the smallest that S3 takes. */
export const partBytes = 5 * 1024 * 1024;
/** Parts of one object on the way at once. */
const partsAtOnce = 2;
const connectTimeoutMs = 5_000;
/** Without any answer for so long a try has failed; the client tries three times. */
const requestTimeoutMs = 20_000;

/** Where objects go. */
export interface S3SinkOptions {
  bucket: string;
  region: string;
  /** Of a server that speaks S3; absent: AWS. */
  endpoint?: string;
  /** Absent: found as AWS's SDK finds them. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

/** A bucket of S3, or of a server that speaks it. What may pass is rejected with as it came. */
export class S3Sink implements Sink {
  readonly #options: S3SinkOptions;
  #client: Promise<S3Client> | undefined;

  constructor(options: S3SinkOptions) {
    this.#options = options;
  }

  async write(key: string, body: Uint8Array, contentType: string, signal: AbortSignal): Promise<void> {
    const object = { Bucket: this.#options.bucket, Key: key, Body: body, ContentType: contentType };
    try {
      // The client is large: it is loaded where something is recorded to S3, and nowhere else.
      this.#client ??= connect(this.#options);
      await (body.byteLength > partBytes ? upload : putObject)(await this.#client, object, signal);
    } catch (error) {
      throw told(error, this.#options.bucket);
    }
  }

  /** Ends what is on the way. */
  async close(): Promise<void> {
    (await this.#client?.catch(() => undefined))?.destroy();
  }
}

interface NewObject {
  Bucket: string;
  Key: string;
  Body: Uint8Array;
  ContentType: string;
}

async function connect({ region, endpoint, credentials }: S3SinkOptions): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const config: S3ClientConfig = {
    region,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
    ...(credentials && { credentials }),
    // Other servers than AWS seldom have a host name for each bucket, and older ones do not know the newer checksums.
    ...(endpoint !== undefined && {
      endpoint,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
  };
  return new S3Client(config);
}

async function putObject(client: S3Client, object: NewObject, abortSignal: AbortSignal): Promise<void> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  await client.send(new PutObjectCommand({ ...object, ContentLength: object.Body.byteLength }), {
    abortSignal,
  });
}

/** What was uploaded of an object that fails is removed again. */
async function upload(client: S3Client, object: NewObject, signal: AbortSignal): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const uploading = new Upload({ client, params: object, partSize: partBytes, queueSize: partsAtOnce });
  signal.addEventListener('abort', () => void uploading.abort(), { once: true });
  await uploading.done();
}

const denied =
  /^(?:AccessDenied|AllAccessDisabled|ExpiredToken|InvalidAccessKeyId|SignatureDoesNotMatch|CredentialsProviderError)$/;

/** A missing bucket and missing leave are for good; what else goes wrong may be tried again. */
function told(error: unknown, bucket: string): unknown {
  const { name = '', message = '', $metadata } = error as Partial<S3ServiceException>;
  const status = $metadata?.httpStatusCode;
  // 301: there is such a bucket, in another region.
  if (name === 'NoSuchBucket' || status === 404 || status === 301)
    return new SinkError('ResourceNotFoundException', `bucket ${bucket} is not there`);
  if (denied.test(name) || status === 401 || status === 403)
    return new SinkError('AccessDeniedException', `bucket ${bucket} cannot be written to (${name}: ${message})`);
  return error;
}
