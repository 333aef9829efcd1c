// AWS Signature Version 4. Signing and verifying share one canonical request.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { ApiError, type ErrorName } from './errors.ts';
import type { HttpRequestParts } from './http.ts';

/** What a client signs with. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const TERMINATOR = 'aws4_request';
const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
/** How far the clocks of client and server may be apart, in minutes. */
export const MAX_CLOCK_SKEW_MINUTES = 5;
/** How many signing keys are kept; each is good for one day, key pair, region and service. */
export const MAX_SIGNING_KEYS = 256;
/** Most characters of a canonical request that an error repeats. */
export const MAX_CANONICAL_ECHO_LENGTH = 2048;

// ---- canonical request

/** Encodes once more what is already encoded, as every service but S3 does; slashes stay. */
function canonicalPath(rawPath: string): string {
  if (/^[A-Za-z0-9\-._~/]*$/.test(rawPath)) return rawPath;
  return uriEncode(rawPath).replaceAll('%2F', '/');
}

/** The path of an S3 request: each segment in its one encoding, and encoded once. */
function canonicalObjectPath(rawPath: string): string {
  if (/^[A-Za-z0-9\-._~/]*$/.test(rawPath)) return rawPath;
  return rawPath.split('/').map(canonicalQueryPart).join('/');
}

/** RFC 3986 over the UTF-8 bytes; never throws. */
function uriEncode(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** An encoded query part in its one canonical encoding; what cannot be decoded counts as it stands. */
function canonicalQueryPart(part: string): string {
  try {
    return uriEncode(decodeURIComponent(part));
  } catch {
    return uriEncode(part);
  }
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function canonicalQuery(rawQuery: string): string {
  if (rawQuery === '') return '';
  return rawQuery
    .split('&')
    .filter((item) => item !== '')
    .map((item) => {
      const equals = item.indexOf('=');
      const [key, value] = equals < 0 ? [item, ''] : [item.slice(0, equals), item.slice(equals + 1)];
      return [canonicalQueryPart(key), canonicalQueryPart(value)] as const;
    })
    .sort((a, b) => compareText(a[0], b[0]) || compareText(a[1], b[1]))
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
}

function canonicalHeaderValue(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}

/** The text that both sides hash; `signedHeaders` are lower-case names in ascending order. */
function canonicalRequest(
  request: HttpRequestParts,
  signedHeaders: readonly string[],
  { payloadHash, service }: { payloadHash: string; service: string },
): string {
  let headers = '';
  for (const name of signedHeaders) headers += `${name}:${canonicalHeaderValue(request.headers[name] ?? '')}\n`;
  const path = service === 's3' ? canonicalObjectPath(request.rawPath) : canonicalPath(request.rawPath);
  return `${request.method}\n${path}\n${canonicalQuery(request.rawQuery)}\n${headers}\n${signedHeaders.join(';')}\n${payloadHash}`;
}

// ---- signature

interface Scope {
  /** YYYYMMDD */
  date: string;
  region: string;
  service: string;
}

const signingKeys = new Map<string, Buffer>();

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function signingKey(secret: string, { date, region, service }: Scope): Buffer {
  const name = `${date}/${region}/${service}/${secret}`;
  let key = signingKeys.get(name);
  if (key === undefined) {
    key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), TERMINATOR);
    const oldest = signingKeys.size >= MAX_SIGNING_KEYS ? signingKeys.keys().next().value : undefined;
    if (oldest !== undefined) signingKeys.delete(oldest);
    signingKeys.set(name, key);
  }
  return key;
}

function scopeText({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/${TERMINATOR}`;
}

function signature(canonical: string, secret: string, scope: Scope, amzDate: string): Buffer {
  const text = `${ALGORITHM}\n${amzDate}\n${scopeText(scope)}\n${hash('sha256', canonical, 'hex')}`;
  return hmac(signingKey(secret, scope), text);
}

/** YYYYMMDDTHHMMSSZ */
function toAmzDate(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

// ---- signing

/** The headers to add so that the request is signed: `x-amz-date`, `authorization`, and `x-amz-security-token` with a session. */
export function signRequest(
  request: HttpRequestParts,
  options: { credentials: Credentials; region: string; service: string; now: Date },
): Record<string, string> {
  const { credentials, region, service, now } = options;
  const amzDate = toAmzDate(now);
  const added: Record<string, string> = { 'x-amz-date': amzDate };
  if (credentials.sessionToken !== undefined) added['x-amz-security-token'] = credentials.sessionToken;
  const headers = { ...request.headers, ...added };
  const signedHeaders = Object.keys(headers)
    .filter((name) => headers[name] !== undefined && (SIGNED_BY_US.has(name) || name.startsWith('x-amz-')))
    .sort();
  const scope = { date: amzDate.slice(0, 8), region, service };
  const payloadHash = headers['x-amz-content-sha256'] ?? hash('sha256', request.body, 'hex');
  const canonical = canonicalRequest({ ...request, headers }, signedHeaders, { payloadHash, service });
  const signed = signature(canonical, credentials.secretAccessKey, scope, amzDate).toString('hex');
  added.authorization = `${ALGORITHM} Credential=${credentials.accessKeyId}/${scopeText(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signed}`;
  return added;
}

/** Headers that are signed beside all `x-amz-…`; others may change on the way through proxies. */
const SIGNED_BY_US = new Set(['host', 'content-type']);

// ---- verifying

interface Authorization {
  accessKeyId: string;
  scope: Scope;
  signedHeaders: string[];
  signature: Buffer;
}

/** What is wrong with a signature. */
export type SignatureFault = 'missing' | 'malformed' | 'scope' | 'unknown-key' | 'time' | 'payload' | 'mismatch';

/** A request that is not signed, or not so that it can be believed. */
export class SignatureError extends ApiError {
  readonly fault: SignatureFault;

  constructor(shape: ErrorName, fault: SignatureFault, message: string) {
    super(shape, message);
    this.fault = fault;
  }
}

function refuse(shape: 'IncompleteSignature', message: string): never;
function refuse(shape: 'InvalidSignatureException', message: string, fault: SignatureFault): never;
function refuse(shape: ErrorName, message: string, fault: SignatureFault = 'malformed'): never {
  throw new SignatureError(shape, fault, message);
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=([^/,\s]{1,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request *, *SignedHeaders=([^,\s]{1,8192}) *, *Signature=([0-9a-f]{64}) *$/;

function parseAuthorization(text: string): Authorization {
  const match = AUTHORIZATION.exec(text);
  if (!match) return refuseAuthorization(text);
  const [, accessKeyId = '', date = '', region = '', service = '', names = '', hex = ''] = match;
  return {
    accessKeyId,
    scope: { date, region, service },
    signedHeaders: names.split(';'),
    signature: Buffer.from(hex, 'hex'),
  };
}

/** Says which part of an Authorization header is missing or wrong. */
function refuseAuthorization(text: string): never {
  if (!/^AWS4-HMAC-SHA256(?: |$)/.test(text))
    return refuse('IncompleteSignature', `The Authorization header must begin with '${ALGORITHM}', the only algorithm`);
  for (const part of ['Credential', 'SignedHeaders', 'Signature'])
    if (!text.includes(`${part}=`)) return refuse('IncompleteSignature', `The Authorization header has no '${part}='`);
  return refuse(
    'IncompleteSignature',
    `The Authorization header must read '${ALGORITHM} Credential=<key id>/<date>/<region>/<service>/${TERMINATOR}, SignedHeaders=<names>, Signature=<64 hex digits>'`,
  );
}

/** The names must rise: then none comes twice, and the canonical request is no longer than the request. */
function checkNames(names: readonly string[], headers: HttpRequestParts['headers']): void {
  let previous = '';
  for (const name of names) {
    if (name <= previous) refuse('IncompleteSignature', 'SignedHeaders must be lower-case names in ascending order');
    if (!Object.hasOwn(headers, name) || headers[name] === undefined)
      refuse('IncompleteSignature', `The signed header '${name.slice(0, 128)}' is not in the request`);
    previous = name;
  }
}

function checkSignedHeaders(names: readonly string[], headers: HttpRequestParts['headers']): void {
  checkNames(names, headers);
  if (!names.includes('host')) refuse('IncompleteSignature', "SignedHeaders must name 'host'");
  if (!names.includes(dateHeader(headers)))
    refuse('IncompleteSignature', `SignedHeaders must name '${dateHeader(headers)}'`);
}

function dateHeader(headers: HttpRequestParts['headers']): 'x-amz-date' | 'date' {
  return headers['x-amz-date'] === undefined ? 'date' : 'x-amz-date';
}

/** When the request says that it was signed, in the form YYYYMMDDTHHMMSSZ and in milliseconds. */
function signingTime(headers: HttpRequestParts['headers']): { amzDate: string; time: number } {
  const text = headers[dateHeader(headers)];
  if (text === undefined) return refuse('IncompleteSignature', "The request has neither 'X-Amz-Date' nor 'Date'");
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match) {
    const [, year, month, day, hour, minute, second] = match;
    const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    if (!Number.isNaN(time)) return { amzDate: text, time };
  }
  const time = headers['x-amz-date'] === undefined ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || time < 0 || time > MAX_TIME)
    return refuse('IncompleteSignature', 'The date of the request must read YYYYMMDDTHHMMSSZ');
  return { amzDate: toAmzDate(new Date(time)), time };
}

/** End of the year 9999, the last that fits four digits, in milliseconds. */
const MAX_TIME = 253_402_300_799_000;

function checkSkew(amzDate: string, time: number, now: Date): void {
  const skew = MAX_CLOCK_SKEW_MINUTES * 60_000;
  const at = `${toAmzDate(now)}, allowed are ${MAX_CLOCK_SKEW_MINUTES} minutes`;
  if (time < now.getTime() - skew)
    refuse(
      'InvalidSignatureException',
      `Signature expired: ${amzDate} is too far before the server's time ${at}`,
      'time',
    );
  if (time > now.getTime() + skew)
    refuse(
      'InvalidSignatureException',
      `Signature not yet current: ${amzDate} is too far after the server's time ${at}`,
      'time',
    );
}

function checkScope(scope: Scope, amzDate: string, service: string, regions: readonly string[] | undefined): void {
  if (scope.service !== service)
    refuse('InvalidSignatureException', `Credential should be scoped to correct service: '${service}'`, 'scope');
  if (regions && !regions.includes(scope.region))
    refuse(
      'InvalidSignatureException',
      `Credential should be scoped to a valid region: ${regions.join(', ')}`,
      'scope',
    );
  if (scope.date !== amzDate.slice(0, 8))
    refuse(
      'InvalidSignatureException',
      `Date in Credential scope does not match the date of the request: ${scope.date} is not ${amzDate.slice(0, 8)}`,
      'scope',
    );
}

function payloadHashOf({ headers, body }: HttpRequestParts): string {
  const declared = headers['x-amz-content-sha256'];
  if (declared === UNSIGNED_PAYLOAD) return declared;
  const actual = hash('sha256', body, 'hex');
  if (declared !== undefined && declared !== actual)
    refuse(
      'InvalidSignatureException',
      `The header 'x-amz-content-sha256' is not the SHA-256 of the body, ${actual}`,
      'payload',
    );
  return actual;
}

/** The canonical request for an error message: bounded, and without a session token. */
function shownCanonical(canonical: string): string {
  const shown = canonical.replace(/^(x-amz-security-token:).*$/m, '$1…');
  return shown.length <= MAX_CANONICAL_ECHO_LENGTH ? shown : `${shown.slice(0, MAX_CANONICAL_ECHO_LENGTH)}…`;
}

/** How signatures are verified. */
export interface VerifyOptions {
  secretOf(accessKeyId: string): string | undefined;
  service: string;
  /** Absent: whichever region was signed for, which is then for the caller to check. */
  regions?: readonly string[];
  now: Date;
}

/** Who signed the request in its headers; throws SignatureError. */
export function verifyRequest(
  request: HttpRequestParts,
  options: VerifyOptions,
): { accessKeyId: string; region: string } {
  const header = request.headers.authorization;
  if (header === undefined || header === '')
    throw new SignatureError(
      'MissingAuthenticationToken',
      'missing',
      'The request has no Authorization header; sign it with SigV4',
    );
  const authorization = parseAuthorization(header);
  checkSignedHeaders(authorization.signedHeaders, request.headers);
  const { amzDate, time } = signingTime(request.headers);
  checkScope(authorization.scope, amzDate, options.service, options.regions);
  const secret = knownSecret(authorization, options);
  checkSkew(amzDate, time, options.now);
  checkSignature(request, authorization, { secret, amzDate, payloadHash: payloadHashOf(request) });
  return { accessKeyId: authorization.accessKeyId, region: authorization.scope.region };
}

function knownSecret({ accessKeyId }: Authorization, { secretOf }: VerifyOptions): string {
  const secret = secretOf(accessKeyId);
  if (secret !== undefined) return secret;
  const message = 'The security token included in the request is invalid.';
  throw new SignatureError('UnrecognizedClientException', 'unknown-key', message);
}

function checkSignature(
  request: HttpRequestParts,
  { scope, signedHeaders, signature: given }: Authorization,
  { secret, amzDate, payloadHash }: { secret: string; amzDate: string; payloadHash: string },
): void {
  const canonical = canonicalRequest(request, signedHeaders, { payloadHash, service: scope.service });
  if (!timingSafeEqual(signature(canonical, secret, scope, amzDate), given))
    refuse(
      'InvalidSignatureException',
      `The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. The canonical request should have been\n'${shownCanonical(canonical)}'`,
      'mismatch',
    );
}

// ---- presigned URLs

/** How long a presigned URL may be good for, in seconds: seven days. */
export const MAX_PRESIGNED_SECONDS = 604_800;

/** Whether the signature is in the query: a presigned URL. */
export function isPresigned({ rawQuery }: HttpRequestParts): boolean {
  return /(?:^|&)X-Amz-(?:Signature|Algorithm|Credential)=/.test(rawQuery);
}

/** Who signed the URL; throws SignatureError. The body is not signed, only the headers that the URL names. */
export function verifyPresigned(
  request: HttpRequestParts,
  options: VerifyOptions,
): { accessKeyId: string; region: string } {
  const { authorization, amzDate, time, seconds } = parsePresigned(request.rawQuery);
  checkPresignedHeaders(authorization.signedHeaders, request.headers);
  checkScope(authorization.scope, amzDate, options.service, options.regions);
  const secret = knownSecret(authorization, options);
  checkPresignedTime(amzDate, time, { seconds, now: options.now });
  const rawQuery = request.rawQuery
    .split('&')
    .filter((item) => !item.startsWith('X-Amz-Signature='))
    .join('&');
  checkSignature({ ...request, rawQuery }, authorization, { secret, amzDate, payloadHash: UNSIGNED_PAYLOAD });
  return { accessKeyId: authorization.accessKeyId, region: authorization.scope.region };
}

function parsePresigned(rawQuery: string) {
  const of = (name: string): string => {
    const values = rawQuery.split('&').filter((item) => item.startsWith(`${name}=`));
    if (values.length !== 1) refuse('IncompleteSignature', `A presigned URL has '${name}' once`);
    return decodedOrAsItIs(values[0]?.slice(name.length + 1) ?? '');
  };
  // The same parts, in the same forms, as in the header.
  const authorization = parseAuthorization(
    `${of('X-Amz-Algorithm')} Credential=${of('X-Amz-Credential')}, SignedHeaders=${of('X-Amz-SignedHeaders')}, Signature=${of('X-Amz-Signature')}`,
  );
  const seconds = /^\d{1,6}$/.test(of('X-Amz-Expires')) ? Number(of('X-Amz-Expires')) : 0;
  if (seconds < 1 || seconds > MAX_PRESIGNED_SECONDS)
    refuse('IncompleteSignature', `X-Amz-Expires must be a number of seconds from 1 to ${MAX_PRESIGNED_SECONDS}`);
  return { authorization, ...signingTime({ 'x-amz-date': of('X-Amz-Date') }), seconds };
}

function decodedOrAsItIs(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As in a header, but for the date, which is in the query. */
function checkPresignedHeaders(names: readonly string[], headers: HttpRequestParts['headers']): void {
  checkNames(names, headers);
  if (!names.includes('host')) refuse('IncompleteSignature', "X-Amz-SignedHeaders must name 'host'");
}

function checkPresignedTime(amzDate: string, time: number, { seconds, now }: { seconds: number; now: Date }): void {
  if (time > now.getTime() + MAX_CLOCK_SKEW_MINUTES * 60_000)
    refuse('InvalidSignatureException', `The URL is not good before ${amzDate}`, 'time');
  if (time + seconds * 1000 < now.getTime())
    refuse(
      'InvalidSignatureException',
      `Request has expired: the URL was good for ${seconds} s from ${amzDate}`,
      'time',
    );
}
