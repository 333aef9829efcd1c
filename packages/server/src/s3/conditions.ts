import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from './errors.ts';
import type { ObjectFacts } from './objects.ts';

/** The bytes of an object that are asked for; both ends count. */
export interface ByteRange {
  from: number;
  to: number;
}

/** False: the client has the object already (304). Throws PreconditionFailed. RFC 9110 section 13.2.2. */
export function isWanted(headers: IncomingHttpHeaders, { etag, modified }: ObjectFacts): boolean {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  const unmodifiedSince = dateOf(headers['if-unmodified-since']);
  const modifiedSince = dateOf(headers['if-modified-since']);
  if (match !== undefined ? !names(match, etag) : unmodifiedSince !== undefined && modified > unmodifiedSince)
    throw new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  if (noneMatch !== undefined) return !names(noneMatch, etag);
  return modifiedSince === undefined || modified > modifiedSince;
}

const names = (list: string, etag: string): boolean =>
  list.trim() === '*' ||
  list.split(',').some(
    (item) =>
      item
        .trim()
        .replace(/^W\//, '')
        .replace(/^(?!")(.*)$/, '"$1"') === etag,
  );

function dateOf(text: string | undefined): Date | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** Undefined: the whole object. Throws InvalidRange. What is no single range of bytes is no range, as in S3. */
export function rangeOf(headers: IncomingHttpHeaders, { size, etag, modified }: ObjectFacts): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.range?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const ifRange = headers['if-range'];
  if (typeof ifRange === 'string' && ifRange !== etag && ifRange !== modified.toUTCString()) return undefined;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (from > to)
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', { 'content-range': `bytes */${size}` });
  return { from, to };
}
