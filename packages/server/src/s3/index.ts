import { randomUUID } from 'node:crypto';
import { type HttpRequestParts, isPresigned, verifyPresigned, verifyRequest } from '@footlights/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CallerOptions } from '../callers.ts';
import { partsOf } from '../http.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import { isWanted, rangeOf } from './conditions.ts';
import { errorXml, S3Error, toS3Error } from './errors.ts';
import { type ListRequest, listObjects, type Position } from './listing.ts';
import { maxKeyBytes, type ObjectFolders, openObject } from './objects.ts';
import { element, xmlDocument } from './xml.ts';

/** Everything of S3 is below this path. */
export const s3Path = '/s3';
/** Most keys of one page, as of S3. */
export const maxListedKeys = 1_000;

/** What the buckets are served with. */
export interface S3Options {
  folders: ObjectFolders;
  callers: CallerOptions;
  /** Says which buckets an account that is not the server's own has named. */
  storageConfigurations: Store['storageConfigurations'];
  log: Log;
}

/**
 * Reading of buckets over the S3 protocol, path style, under /s3: GetObject, HeadObject, HeadBucket, ListObjectsV2 and
 * ListBuckets, with signatures in headers or in presigned URLs. Everything else is refused in S3's words.
 */
export function registerS3(app: FastifyInstance, options: S3Options): void {
  const s3 = new S3(options);
  for (const url of [s3Path, `${s3Path}/*`]) {
    app.route({
      method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      url,
      exposeHeadRoute: false,
      // Before a body is read: nothing here takes one.
      onRequest: async (request, reply) => s3.answer(request, reply),
      handler: (_request, reply) => reply,
    });
  }
}

interface Target {
  /** Empty: all buckets. */
  bucket: string;
  /** Empty: the bucket. */
  key: string;
}

class S3 {
  readonly #options: S3Options;

  constructor(options: S3Options) {
    this.#options = options;
  }

  async answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const requestId = randomUUID();
    const parts = partsOf(request);
    reply.headers({ 'x-amz-request-id': requestId, ...(this.#options.callers.auth && corsHeaders) });
    try {
      return await this.#serve(request, reply, parts);
    } catch (error) {
      const known = toS3Error(error, isPresigned(parts));
      if (!known) this.#options.log.error({ err: error, requestId }, 'an object could not be read');
      return this.#refuse(reply, known ?? new S3Error('InternalError', 'The log of the server says more'), parts);
    }
  }

  async #serve(request: FastifyRequest, reply: FastifyReply, parts: HttpRequestParts): Promise<FastifyReply> {
    if (parts.method === 'OPTIONS') return reply.code(this.#options.callers.auth ? 204 : 403).send();
    if (!/^(?:GET|HEAD)$/.test(parts.method))
      throw new S3Error('NotImplemented', `Buckets can only be read here, ${parts.method} is not implemented`);
    const query = new URLSearchParams(parts.rawQuery);
    refuseSubresources(query);
    const account = this.#identify(parts);
    const { bucket, key } = targetOf(parts.rawPath);
    if (bucket === '') return this.#listBuckets(reply, account);
    await this.#admit(account, bucket);
    const folder = await this.#options.folders.find(bucket);
    if (folder === undefined) throw new S3Error('NoSuchBucket', 'The specified bucket does not exist');
    if (key !== '') return sendObject(request, reply, { folder, key });
    if (parts.method === 'HEAD') return reply.code(200).send();
    return sendListing(reply, { folder, bucket, query });
  }

  /** The account that signed; undefined: the server's own, which may read every bucket. */
  #identify(parts: HttpRequestParts): string | undefined {
    const { auth, own, keyOf, now } = this.#options.callers;
    if (!auth) return undefined;
    // As some tools sign URLs unless they are told to do it otherwise.
    if (/(?:^|&)AWSAccessKeyId=/.test(parts.rawQuery) || /^AWS /.test(parts.headers.authorization ?? '')) {
      const message =
        'Signature Version 2 is not accepted: please use AWS4-HMAC-SHA256 (setting: signature_version s3v4)';
      throw new S3Error('InvalidRequest', message);
    }
    const options = { secretOf: (id: string) => keyOf(id)?.secretAccessKey, service: 's3', now: now() };
    const inHeader = parts.headers.authorization !== undefined || !isPresigned(parts);
    // Any region: buckets have none, and clients sign for the one that they are set to.
    const { accessKeyId } = inHeader ? verifyRequest(parts, options) : verifyPresigned(parts, options);
    const { accountId = own.account } = keyOf(accessKeyId) ?? {};
    return accountId === own.account ? undefined : accountId;
  }

  /** Other accounts read the buckets that their storage configurations name. */
  async #admit(account: string | undefined, bucket: string): Promise<void> {
    if (account === undefined || (await this.#bucketsOf(account)).has(bucket)) return;
    throw new S3Error('AccessDenied', 'Access Denied: no storage configuration of the account names this bucket');
  }

  async #bucketsOf(account: string): Promise<Set<string>> {
    const all = await this.#options.storageConfigurations.all({});
    return new Set(all.filter((record) => record.account === account).map(({ bucketName }) => bucketName));
  }

  async #listBuckets(reply: FastifyReply, account: string | undefined): Promise<FastifyReply> {
    const buckets = await this.#options.folders.list();
    const visible = account === undefined ? undefined : await this.#bucketsOf(account);
    const rows = buckets
      .filter(({ name }) => visible?.has(name) ?? true)
      .map(({ name, created }) =>
        element('Bucket', [element('Name', name), element('CreationDate', created.toISOString())]),
      );
    const owner = element('Owner', [element('ID', account ?? this.#options.callers.own.account)]);
    return sendXml(reply, xmlDocument('ListAllMyBucketsResult', [owner, element('Buckets', rows)]));
  }

  #refuse(reply: FastifyReply, error: S3Error, { method, rawPath }: HttpRequestParts): FastifyReply {
    reply.code(error.status).headers(error.headers);
    // Whatever body comes is not read: the connection cannot go on.
    if (method !== 'GET' && method !== 'HEAD') reply.header('connection', 'close');
    const requestId = String(reply.getHeader('x-amz-request-id'));
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n${errorXml(error, rawPath.slice(0, maxKeyBytes), requestId)}`;
    return reply.type('application/xml').send(method === 'HEAD' ? undefined : body);
  }
}

const corsHeaders = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET,HEAD',
  'access-control-allow-headers':
    'authorization,range,if-match,if-none-match,if-modified-since,if-unmodified-since,x-amz-date,x-amz-content-sha256,x-amz-security-token,x-amz-user-agent,amz-sdk-invocation-id,amz-sdk-request',
  'access-control-expose-headers': 'accept-ranges,content-length,content-range,etag,last-modified,x-amz-request-id',
  'access-control-max-age': '86400',
};

/** Members of a query that name another operation than the path does. */
const subresources =
  /^(?:acl|accelerate|analytics|attributes|cors|encryption|inventory|intelligent-tiering|legal-hold|lifecycle|location|logging|metrics|notification|object-lock|ownershipControls|partNumber|policy|policyStatus|publicAccessBlock|replication|requestPayment|retention|tagging|torrent|uploadId|uploads|versionId|versioning|versions|website)$/;

function refuseSubresources(query: URLSearchParams): void {
  const found = [...query.keys()].find((name) => subresources.test(name));
  if (found !== undefined) throw new S3Error('NotImplemented', `${found} is not implemented`);
}

/** A slash that is encoded separates nothing and stands in no file's name: such a key is nobody's. */
function targetOf(rawPath: string): Target {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(rawPath.slice(s3Path.length)) ?? [];
  if (/%2f/i.test(bucket) || /%2f/i.test(key)) throw new S3Error('NoSuchKey', 'The specified key does not exist.');
  const decoded = { bucket: decode(bucket), key: decode(key) };
  if (Buffer.byteLength(decoded.key) > maxKeyBytes) throw new S3Error('KeyTooLongError', 'Your key is too long');
  return decoded;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidArgument', 'The path is not well-formed percent-encoded UTF-8');
  }
}

async function sendObject(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  { folder, key }: { folder: string; key: string },
): Promise<FastifyReply> {
  const object = await openObject(folder, key);
  if (!object) throw new S3Error('NoSuchKey', 'The specified key does not exist.');
  const { file, size, etag, modified, contentType } = object;
  let reads = false;
  try {
    reply.headers({ etag, 'last-modified': modified.toUTCString(), 'accept-ranges': 'bytes' });
    if (!isWanted(headers, object)) return reply.code(304).send();
    const range = rangeOf(headers, object);
    if (range) reply.code(206).header('content-range', `bytes ${range.from}-${range.to}/${size}`);
    const { from, to } = range ?? { from: 0, to: size - 1 };
    reply.headers({ 'content-type': contentType, 'content-length': to - from + 1 });
    if (method === 'HEAD') return reply.send();
    if (to < from) return reply.send('');
    reads = true;
    // The stream closes the file, also when the client goes away.
    return reply.send(file.createReadStream({ start: from, end: to }));
  } finally {
    if (!reads) await file.close();
  }
}

async function sendListing(
  reply: FastifyReply,
  { folder, bucket, query }: { folder: string; bucket: string; query: URLSearchParams },
): Promise<FastifyReply> {
  if (query.get('list-type') !== '2')
    throw new S3Error('NotImplemented', 'The first version of ListObjects is not implemented: use ListObjectsV2');
  const encoding = query.get('encoding-type');
  if (encoding !== null && encoding !== 'url') throw new S3Error('InvalidArgument', 'encoding-type must be url');
  const text = encoding === 'url' ? encodeKey : (key: string) => key;
  const request = listRequestOf(query);
  const { objects, commonPrefixes, next } = await listObjects(folder, request);
  const optional = (name: string, parameter: string, form = (value: string) => value) => {
    const value = query.get(parameter);
    return value === null ? [] : [element(name, form(value))];
  };
  return sendXml(
    reply,
    xmlDocument('ListBucketResult', [
      element('Name', bucket),
      element('Prefix', text(request.prefix)),
      ...optional('Delimiter', 'delimiter', text),
      ...optional('StartAfter', 'start-after', text),
      ...optional('ContinuationToken', 'continuation-token'),
      ...optional('EncodingType', 'encoding-type'),
      element('KeyCount', objects.length + commonPrefixes.length),
      element('MaxKeys', request.maxKeys),
      element('IsTruncated', next !== undefined),
      ...(next ? [element('NextContinuationToken', tokenOf(next))] : []),
      ...objects.map(({ key, size, modified, etag }) =>
        element('Contents', [
          element('Key', text(key)),
          element('LastModified', modified.toISOString()),
          element('ETag', etag),
          element('Size', size),
          element('StorageClass', 'STANDARD'),
        ]),
      ),
      ...commonPrefixes.map((prefix) => element('CommonPrefixes', [element('Prefix', text(prefix))])),
    ]),
  );
}

function listRequestOf(query: URLSearchParams): ListRequest {
  const maxKeys = query.get('max-keys') ?? String(maxListedKeys);
  if (!/^\d{1,9}$/.test(maxKeys)) throw new S3Error('InvalidArgument', 'max-keys must be a whole number');
  const token = query.get('continuation-token');
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    after: token === null ? { key: query.get('start-after') ?? '' } : positionOf(token),
    maxKeys: Math.min(Number(maxKeys), maxListedKeys),
  };
}

const tokenOf = (position: Position): string => Buffer.from(JSON.stringify(position)).toString('base64url');

function positionOf(token: string): Position {
  try {
    const position = JSON.parse(Buffer.from(token, 'base64url').toString()) as { key?: unknown; prefix?: unknown };
    if (typeof position.key === 'string') return { key: position.key };
    if (typeof position.prefix === 'string') return { prefix: position.prefix };
  } catch {
    // Refused below.
  }
  throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
}

/** As S3 encodes keys in listings: everything but unreserved characters and slashes. */
const encodeKey = (key: string): string =>
  encodeURIComponent(key)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/');

const sendXml = (reply: FastifyReply, body: string): FastifyReply => reply.type('application/xml').send(body);
