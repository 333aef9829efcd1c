// docs/reference/openapi.json: the same API as an OpenAPI 3.1 document.
import { errors, type Operation, operations, type Shape, type StructureShape, shapeOf } from '@footlights/model';
import { defaultValue, enumerations, type Member, membersOf, nameOf, structures } from './shapes.ts';

type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json | undefined };
type JsonObject = { readonly [name: string]: Json | undefined };

const all: readonly Operation[] = Object.values(operations);
const modelled = new Set(all.flatMap(({ errors }) => errors));
const common = Object.keys(errors).filter((name) => !modelled.has(name as keyof typeof errors));

/** The document as data. */
export function openApi(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Footlights: ivs-realtime',
      version: '2020-07-14',
      summary: 'An API compatible with Amazon IVS Real-Time Streaming.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      {
        url: '{endpoint}',
        description: 'A Footlights server.',
        variables: { endpoint: { default: 'http://127.0.0.1:7070', description: 'api of its endpoints.json.' } },
      },
    ],
    security: [{ sigv4: [] }],
    tags: [...new Set(all.map(tagOf))].sort().map((name) => ({ name })),
    paths: paths(),
    components: {
      schemas: { ...schemas(), Error: errorSchema() },
      responses: { CommonError: errorResponse(common, 'An error common to all operations.') },
      headers: { RequestId: { description: 'Id of the request, for the log.', schema: { type: 'string' } } },
      securitySchemes: {
        sigv4: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'AWS Signature Version 4 (AWS4-HMAC-SHA256) for the service "ivs" and the region of the server.',
          'x-amazon-apigateway-authtype': 'awsSigv4',
        },
      },
    },
  };
}

/** The resource that an operation is about. */
function tagOf({ name }: Operation): string {
  if (/Tag/.test(name)) return 'Tags';
  const noun = name.replace(/^(Create|Get|List|Update|Delete|Import|Start|Stop|Disconnect)/, '');
  const resource = noun.replace(/(Events|Replication|Replicas)$/, '').replace(/s$/, '');
  return resource === 'StageSession' ? 'Stage' : resource;
}

function paths(): JsonObject {
  const items: Record<string, Record<string, Json>> = {};
  for (const operation of all) {
    const { method, path } = operation.http;
    items[path] = { ...items[path], [method.toLowerCase()]: operationObject(operation) };
  }
  return items;
}

function operationObject(operation: Operation): JsonObject {
  const members = membersOf(shapeOf(operation.input) as StructureShape);
  const parameters = members.filter(({ shape }) => shape.location).map(parameter);
  return {
    operationId: operation.name,
    summary: operation.description,
    tags: [tagOf(operation)],
    parameters: parameters.length > 0 ? parameters : undefined,
    requestBody: operation.http.method === 'POST' ? requestBody(operation, members) : undefined,
    responses: responses(operation),
  };
}

function parameter(member: Member): JsonObject {
  const { name, shape, required, description } = member;
  const inPath = shape.location === 'uri';
  return {
    name,
    in: inPath ? 'path' : 'query',
    required,
    description,
    style: inPath ? 'simple' : 'form',
    explode: inPath ? undefined : true,
    schema: schemaOf(shape),
  };
}

function requestBody({ name }: Operation, members: readonly Member[]): JsonObject {
  const body = members.filter(({ shape }) => !shape.location);
  return {
    required: body.some(({ required }) => required),
    content: { 'application/json': { schema: { $ref: reference(`${name}Request`) } } },
  };
}

function responses(operation: Operation): JsonObject {
  const byStatus = new Map<number, string[]>();
  for (const name of operation.errors) {
    const { status } = errors[name];
    byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
  }
  const refusals = [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, names]) => [String(status), errorResponse(names)]);
  return {
    200: success(operation),
    ...Object.fromEntries(refusals),
    default: { $ref: '#/components/responses/CommonError' },
  };
}

function success({ name, output }: Operation): JsonObject {
  const members = membersOf(shapeOf(output) as StructureShape);
  const headers = members
    .filter(({ shape }) => shape.location === 'header')
    .map(({ name, shape, description }) => [shape.locationName ?? name, { description, schema: schemaOf(shape) }]);
  return {
    description: 'Success.',
    headers: { 'x-amzn-requestid': requestId, ...Object.fromEntries(headers) },
    content: { 'application/json': { schema: { $ref: reference(`${name}Response`) } } },
  };
}

const requestId = { $ref: '#/components/headers/RequestId' };

function errorResponse(names: readonly string[], description?: string): JsonObject {
  const texts = names.map((name) => `${name}: ${errors[name as keyof typeof errors].description}`);
  return {
    description: description ?? texts.join(' '),
    headers: {
      'x-amzn-ErrorType': {
        description: 'Name of the error.',
        required: true,
        schema: { type: 'string', enum: names },
      },
      'x-amzn-requestid': requestId,
    },
    content: { 'application/json': { schema: { $ref: reference('Error') } } },
  };
}

function errorSchema(): JsonObject {
  return {
    type: 'object',
    required: ['exceptionMessage', 'message'],
    properties: {
      exceptionMessage: { type: 'string', description: 'What is wrong, where the service model has it.' },
      message: { type: 'string', description: "The same text, where AWS's tools look for it." },
    },
  };
}

const reference = (name: string): string => `#/components/schemas/${name}`;

function schemas(): JsonObject {
  const messages = all.flatMap(({ name, http, input, output }) => [
    ...(http.method === 'POST' ? [[`${name}Request`, bodySchema(shapeOf(input))] as const] : []),
    [`${name}Response`, bodySchema(shapeOf(output))] as const,
  ]);
  const shapes = structures.map(({ name, shape }) => [name, bodySchema(shape)] as const);
  const values = enumerations.map(({ name, values }) => [name, { type: 'string', enum: values }] as const);
  return Object.fromEntries([...messages, ...shapes, ...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A structure without the members that travel outside of the body. */
function bodySchema(shape: Shape): JsonObject {
  const members = membersOf(shape as StructureShape).filter(({ shape }) => !shape.location);
  const required = members.filter((member) => member.required).map(({ name }) => name);
  return {
    type: 'object',
    required: required.length > 0 ? required : undefined,
    properties: Object.fromEntries(members.map((member) => [member.name, memberSchema(member)])),
  };
}

function memberSchema(member: Member): JsonObject {
  const value = defaultValue(member) as Json | undefined;
  return { ...schemaOf(member.shape), description: member.shape.description, default: value };
}

function schemaOf(shape: Shape): JsonObject {
  const name = nameOf(shape);
  if (name !== undefined) return { $ref: reference(name) };
  switch (shape.kind) {
    case 'structure':
      return bodySchema(shape);
    case 'list':
      return {
        type: 'array',
        items: schemaOf(shapeOf(shape.items)),
        ...defined({ minItems: shape.minItems, maxItems: shape.maxItems }),
      };
    case 'map':
      return mapSchema(shape);
    case 'string':
      return stringSchema(shape);
    case 'timestamp':
      return { type: 'string', format: 'date-time' };
    case 'integer':
      return { type: 'integer', format: 'int32', ...defined({ minimum: shape.minimum, maximum: shape.maximum }) };
    case 'float':
      return { type: 'number', ...defined({ minimum: shape.minimum, maximum: shape.maximum }) };
    case 'boolean':
      return { type: 'boolean' };
  }
}

function mapSchema(shape: Extract<Shape, { kind: 'map' }>): JsonObject {
  const { type: _, ...key } = schemaOf(shapeOf(shape.propertyNames));
  return {
    type: 'object',
    ...(Object.keys(key).length > 0 && { propertyNames: key }),
    additionalProperties: schemaOf(shapeOf(shape.additionalProperties)),
    ...defined({ minProperties: shape.minProperties, maxProperties: shape.maxProperties }),
  };
}

function stringSchema({ minLength, maxLength, pattern, sensitive }: Extract<Shape, { kind: 'string' }>): JsonObject {
  return {
    type: 'string',
    ...defined({ minLength, maxLength, pattern: pattern === undefined ? undefined : `^(?:${pattern})$` }),
    ...(sensitive && { format: 'password' }),
  };
}

/** A smallest size of 0 says nothing. */
function defined(limits: JsonObject): JsonObject {
  const said = Object.entries(limits).filter(
    ([name, value]) => value !== undefined && !(value === 0 && /^min[A-Z]/.test(name)),
  );
  return Object.fromEntries(said);
}
