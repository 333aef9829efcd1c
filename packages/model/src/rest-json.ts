// restJson1: operations as HTTP requests and answers, in both directions.
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { TSchema } from '@sinclair/typebox';
import { ApiError } from './errors.ts';
import type { HttpRequestParts } from './http.ts';
import { isJsonObject, ownValue, parseJson } from './json.ts';
import { type Operation, operations } from './operations.ts';
import { type StructureShape, shapeOf } from './schema.ts';

/** Headers that AWS sends with every error and with answers that consist of headers; values as it sends them. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'Access-Control-Allow-Origin,Access-Control-Expose-Headers,Cache-Control,Content-Length,Content-Security-Policy,Content-Type,date,Strict-Transport-Security,x-amzn-errormessage,x-amzn-errortype,x-amzn-requestid,x-amzn-trace-id,X-Content-Type-Options,X-Frame-Options',
  'cache-control': 'no-store, no-cache',
  'content-security-policy': "default-src 'self'; upgrade-insecure-requests;",
  'strict-transport-security': 'max-age:47304000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

type Location = 'uri' | 'querystring' | 'header' | 'body';

interface Member {
  name: string;
  schema: TSchema;
  location: Location;
  /** Lower-case header name of a member that travels in one. */
  header: string;
  idempotencyToken: boolean;
}

/** The members of a structure in model order, all of them and by where they travel. */
interface Members {
  all: readonly Member[];
  body: readonly Member[];
  header: readonly Member[];
}

const memberCache = new WeakMap<TSchema, Members>();

/** The members of a structure, worked out once for each. */
function membersOf(schema: TSchema): Members {
  let members = memberCache.get(schema);
  if (members === undefined) {
    const all = Object.entries((shapeOf(schema) as StructureShape).properties).map(([name, member]): Member => {
      const { location = 'body', locationName = name, idempotencyToken = false } = shapeOf(member);
      return { name, schema: member, location, header: locationName.toLowerCase(), idempotencyToken };
    });
    const at = (location: Location) => all.filter((member) => member.location === location);
    members = { all, body: at('body'), header: at('header') };
    memberCache.set(schema, members);
  }
  return members;
}

/** The value with model members only, in model order, without nulls; what does not fit its shape stays as it is. */
function project(schema: TSchema, value: unknown): unknown {
  const shape = shapeOf(schema);
  if (shape.kind === 'structure') return isJsonObject(value) ? projectMembers(membersOf(schema).all, value) : value;
  if (shape.kind === 'list') return Array.isArray(value) ? value.map((item) => project(shape.items, item)) : value;
  return value;
}

function projectMembers(members: readonly Member[], value: Record<string, unknown>): Record<string, unknown> {
  const projected: Record<string, unknown> = {};
  for (const { name, schema } of members) {
    const member = ownValue(value, name);
    if (member !== undefined) projected[name] = project(schema, member);
  }
  return projected;
}

// ---- routing

interface LabelledRoute {
  method: string;
  prefix: string;
  operation: Operation;
}

let routes: { fixed: Map<string, Operation>; labelled: LabelledRoute[] } | undefined;

function routeTable() {
  if (routes === undefined) {
    const all: Operation[] = Object.values(operations);
    const isLabelled = ({ http }: Operation) => http.path.endsWith('}');
    routes = {
      fixed: new Map(all.filter((o) => !isLabelled(o)).map((o) => [`${o.http.method} ${o.http.path}`, o])),
      labelled: all.filter(isLabelled).map((o) => ({ method: o.http.method, prefix: labelPrefix(o), operation: o })),
    };
  }
  return routes;
}

/** The path up to its label, which is always the last segment. */
function labelPrefix(operation: Operation): string {
  return operation.http.path.slice(0, operation.http.path.indexOf('{'));
}

/** The operation that a request line asks for. A label is one segment of the raw path: an encoded slash stays inside it. */
export function route(method: string, rawPath: string): Operation | undefined {
  const { fixed, labelled } = routeTable();
  const found = fixed.get(`${method} ${rawPath}`);
  if (found !== undefined) return found;
  return labelled.find(
    ({ method: wanted, prefix }) =>
      wanted === method &&
      rawPath.startsWith(prefix) &&
      rawPath.length > prefix.length &&
      !rawPath.includes('/', prefix.length),
  )?.operation;
}

// ---- requests

function percentDecode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ApiError('MalformedHttpRequestException', `The ${what} is not well-formed percent-encoded UTF-8`);
  }
}

/** RFC 3986: everything but the unreserved characters is encoded; half a surrogate pair becomes U+FFFD. */
function percentEncode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function queryValues(rawQuery: string, name: string): string[] {
  const values: string[] = [];
  for (const item of rawQuery.split('&')) {
    const equals = item.indexOf('=');
    const key = percentDecode(equals < 0 ? item : item.slice(0, equals), 'query');
    if (key === name) values.push(equals < 0 ? '' : percentDecode(item.slice(equals + 1), 'query'));
  }
  return values;
}

/** Forms of a body that say JSON; requiring one keeps plain web forms of other sites out. */
const JSON_CONTENT_TYPE = /^application\/(?:json|x-amz-json-1\.[01])\s*(?:;|$)/i;

function decodeBody({ headers, body }: HttpRequestParts): Record<string, unknown> {
  if (body.length === 0) return {};
  if (!JSON_CONTENT_TYPE.test(headers['content-type'] ?? ''))
    throw new ApiError('UnsupportedMediaTypeException', 'The content type of the body must be application/json');
  if (!isUtf8(body)) throw new ApiError('SerializationException', 'The body is not UTF-8');
  const value = parseJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  if (value === undefined) throw new ApiError('SerializationException', 'The body is not JSON');
  if (!isJsonObject(value)) throw new ApiError('SerializationException', 'The body is not a JSON object');
  return value;
}

/**
 * The input of a request: model members only, in model order, nulls left out; not yet validated.
 * Throws ApiError when the body is not a JSON object or the path or query is not well-formed.
 */
export function decodeRequest(operation: Operation, request: HttpRequestParts): unknown {
  const members = membersOf(operation.input);
  const body = members.body.length > 0 || members.all.length === 0 ? decodeBody(request) : {};
  if (members.body.length === members.all.length) return projectMembers(members.body, body);
  const input: Record<string, unknown> = {};
  for (const { name, schema, location } of members.all) {
    const value =
      location === 'uri'
        ? percentDecode(request.rawPath.slice(labelPrefix(operation).length), 'path')
        : location === 'querystring'
          ? queryMember(schema, queryValues(request.rawQuery, name))
          : project(schema, ownValue(body, name));
    if (value !== undefined) input[name] = value;
  }
  return input;
}

function queryMember(schema: TSchema, values: string[]): unknown {
  if (values.length === 0) return undefined;
  return shapeOf(schema).kind === 'list' ? values : values.at(-1);
}

/** The request for an operation, not yet signed. An idempotency token that is not given is made up. */
export function encodeRequest(
  operation: Operation,
  input: Record<string, unknown>,
): { method: string; rawPath: string; rawQuery: string; headers: Record<string, string>; body: string | undefined } {
  const { method, path } = operation.http;
  let rawPath = path;
  const query: string[] = [];
  const body: Record<string, unknown> = {};
  for (const { name, schema, location, idempotencyToken } of membersOf(operation.input).all) {
    const value = ownValue(input, name) ?? (idempotencyToken ? randomUUID() : undefined);
    if (location === 'uri') rawPath = labelPrefix(operation) + encodeLabel(name, value);
    else if (value === undefined) continue;
    else if (location === 'body') body[name] = project(schema, value);
    else
      for (const item of Array.isArray(value) ? value : [value]) query.push(`${name}=${percentEncode(String(item))}`);
  }
  const hasBody = method === 'POST';
  return {
    method,
    rawPath,
    rawQuery: query.join('&'),
    headers: hasBody ? { 'content-type': 'application/json' } : {},
    body: hasBody ? JSON.stringify(body) : undefined,
  };
}

function encodeLabel(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return percentEncode(value);
  throw new ApiError('ValidationException', `Value at '${name}' failed to satisfy constraint: Member must not be null`);
}

// ---- answers

/** An answer as it goes on the wire. */
export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The answer of an operation: model members only, in model order. Members that travel in headers have AWS's values unless given. */
export function encodeResponse(operation: Operation, output: object): HttpAnswer {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  const given = output as Record<string, unknown>;
  const members = membersOf(operation.output);
  for (const { name, header } of members.header) {
    const value = ownValue(given, name) ?? securityHeaders[header];
    if (value !== undefined) headers[header] = String(value);
  }
  return { status: 200, headers, body: JSON.stringify(projectMembers(members.body, given)) };
}

/** The answer for an error. The model knows `exceptionMessage`; `message` is what AWS's own tools show. */
export function encodeError(error: ApiError, requestId: string): HttpAnswer {
  return {
    status: error.status,
    headers: {
      'content-type': 'application/json',
      ...securityHeaders,
      'x-amzn-errortype': error.shape,
      'x-amzn-requestid': requestId,
    },
    body: JSON.stringify({ exceptionMessage: error.message, message: error.message }),
  };
}

/** An answer as it came from the wire; header names in lower case. */
export interface ReceivedAnswer {
  status: number;
  headers: Record<string, string | undefined>;
  body: string;
}

/** What a client shows when a failing server says nothing itself. */
const REASONS: Readonly<Record<number, string>> = {
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

function decodeError({ status, headers, body }: ReceivedAnswer): { code: string; message: string } {
  const value = parseJson(body);
  const members = isJsonObject(value) ? value : {};
  const text = (name: string) => {
    const member = ownValue(members, name);
    return typeof member === 'string' ? member : undefined;
  };
  const code =
    headers['x-amzn-errortype']?.split(':')[0] || text('code') || text('__type')?.split('#').at(-1) || String(status);
  return { code, message: text('message') ?? text('Message') ?? (isJsonObject(value) ? '' : (REASONS[status] ?? '')) };
}

/** The output or error of an answer, read as AWS's tools read it: a body that is no JSON object counts as empty. */
export function decodeResponse(
  operation: Operation,
  response: ReceivedAnswer,
  parse: (text: string) => unknown = parseJson,
): { output: Record<string, unknown> } | { error: { code: string; message: string } } {
  if (response.status >= 300) return { error: decodeError(response) };
  const value = parse(response.body);
  const body = isJsonObject(value) ? value : {};
  const output: Record<string, unknown> = {};
  for (const { name, schema, location, header } of membersOf(operation.output).all) {
    const member = location === 'header' ? response.headers[header] : project(schema, ownValue(body, name));
    if (member !== undefined) output[name] = member;
  }
  return { output };
}
