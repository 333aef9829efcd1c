import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError, type ErrorName, errors } from './errors.ts';
import type { HttpRequestParts } from './http.ts';
import { anyText, inputOf } from './inputs.testing.ts';
import { type Operation, operations } from './operations.ts';
import {
  decodeRequest,
  decodeResponse,
  encodeError,
  encodeRequest,
  encodeResponse,
  route,
  securityHeaders,
} from './rest-json.ts';

const all: Operation[] = Object.values(operations);
const anyOperation = fc.constantFrom(...all);
const arn = 'arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh';
const encodedArn = 'arn%3Aaws%3Aivs%3Aus-west-2%3A123456789012%3Astage%2FabcdABCDefgh';

function parts(change: Partial<HttpRequestParts> = {}): HttpRequestParts {
  return {
    method: 'POST',
    rawPath: '/CreateStage',
    rawQuery: '',
    headers: { 'content-type': 'application/json' },
    body: new Uint8Array(),
    ...change,
  };
}

const withBody = (text: string | Uint8Array) => parts({ body: Buffer.from(text) });

function shapeThrown(action: () => unknown): ErrorName | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof ApiError) return error.shape;
    throw error;
  }
  return undefined;
}

describe('routing', () => {
  test('every operation is found by its own binding', () => {
    for (const operation of all) {
      expect(route(operation.http.method, operation.http.path.replace('{resourceArn}', encodedArn))).toBe(operation);
    }
  });

  test.each([
    ['GET', '/GetStage'],
    ['POST', '/getstage'],
    ['POST', '/GetStage/'],
    ['POST', '//GetStage'],
    ['POST', '/'],
    ['POST', ''],
    ['POST', '/constructor'],
    ['GET', '/tags'],
    ['GET', '/tags/'],
    ['GET', `/tags/${arn}`],
    ['PUT', `/tags/${encodedArn}`],
  ])('%s %s is no operation', (method, path) => expect(route(method, path)).toBeUndefined());
});

describe('requests', () => {
  test('an empty body is an empty input', () => {
    expect(decodeRequest(operations.CreateStage, parts({ headers: {} }))).toEqual({});
  });

  test.each<[string, string | Uint8Array, ErrorName]>([
    ['not JSON', '{', 'SerializationException'],
    ['an array', '[]', 'SerializationException'],
    ['null', 'null', 'SerializationException'],
    ['a string', '"x"', 'SerializationException'],
    ['not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'SerializationException'],
    ['deeper than a parser goes', '['.repeat(100_000), 'SerializationException'],
  ])('a body that is %s', (_, body, shape) => {
    expect(shapeThrown(() => decodeRequest(operations.CreateStage, withBody(body)))).toBe(shape);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', undefined])(
    'content type %s is refused',
    (type) => {
      const request = { ...withBody('{}'), headers: { 'content-type': type } };
      expect(shapeThrown(() => decodeRequest(operations.CreateStage, request))).toBe('UnsupportedMediaTypeException');
    },
  );

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON', 'application/x-amz-json-1.1'])(
    'content type %s is taken',
    (type) => {
      expect(decodeRequest(operations.CreateStage, { ...withBody('{}'), headers: { 'content-type': type } })).toEqual(
        {},
      );
    },
  );

  test('the last of equal keys wins; nulls and unknown members are dropped; members come in model order', () => {
    const input = decodeRequest(
      operations.CreateStage,
      withBody(
        '{"tags":{"a":"b"},"name":"x","x":1,"participantTokenConfigurations":[{"userId":null,"y":2,"duration":5}],"name":"y"}',
      ),
    );
    expect(JSON.stringify(input)).toBe(
      '{"name":"y","participantTokenConfigurations":[{"duration":5}],"tags":{"a":"b"}}',
    );
    expect(decodeRequest(operations.CreateStage, withBody('{"name":null}'))).toEqual({});
  });

  test('keys of the prototype do no harm', () => {
    const input = decodeRequest(
      operations.CreateStage,
      withBody('{"__proto__":{"name":"x"},"tags":{"__proto__":"v"}}'),
    );
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
    expect(Object.keys(input as object)).toEqual(['tags']);
    expect(JSON.stringify(input)).toBe('{"tags":{"__proto__":"v"}}');
  });

  test('tag operations', () => {
    const path = `/tags/${encodedArn}`;
    expect(decodeRequest(operations.ListTagsForResource, parts({ method: 'GET', rawPath: path, headers: {} }))).toEqual(
      { resourceArn: arn },
    );
    const query = 'tagKeys=a&other=1&tagKeys=b%20c&tagKeys=%C3%A9%2B&tagKeys';
    expect(
      decodeRequest(operations.UntagResource, parts({ method: 'DELETE', rawPath: path, rawQuery: query })),
    ).toEqual({
      resourceArn: arn,
      tagKeys: ['a', 'b c', 'é+', ''],
    });
    expect(decodeRequest(operations.UntagResource, parts({ method: 'DELETE', rawPath: path }))).toEqual({
      resourceArn: arn,
    });
    expect(
      decodeRequest(operations.TagResource, { ...withBody('{"tags":{"a":"b"},"resourceArn":"x"}'), rawPath: path }),
    ).toEqual({
      resourceArn: arn,
      tags: { a: 'b' },
    });
  });

  test.each(['%', '%2', '%zz', '%ff', '%C3'])('bad percent-encoding %s', (text) => {
    const malformed = 'MalformedHttpRequestException';
    expect(shapeThrown(() => decodeRequest(operations.ListTagsForResource, parts({ rawPath: `/tags/${text}` })))).toBe(
      malformed,
    );
    expect(
      shapeThrown(() =>
        decodeRequest(operations.UntagResource, parts({ rawPath: '/tags/x', rawQuery: `tagKeys=${text}` })),
      ),
    ).toBe(malformed);
  });

  test('are written as AWS’s tools write them', () => {
    expect(encodeRequest(operations.ListStages, {})).toEqual({
      method: 'POST',
      rawPath: '/ListStages',
      rawQuery: '',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(encodeRequest(operations.UntagResource, { resourceArn: arn, tagKeys: ['a', "b c!'()*~"] })).toEqual({
      method: 'DELETE',
      rawPath: `/tags/${encodedArn}`,
      rawQuery: 'tagKeys=a&tagKeys=b%20c%21%27%28%29%2A~',
      headers: {},
      body: undefined,
    });
    expect(encodeRequest(operations.TagResource, { resourceArn: arn, tags: { a: 'b' } }).body).toBe(
      '{"tags":{"a":"b"}}',
    );
    expect(encodeRequest(operations.CreateStage, { tags: {}, bogus: 1, name: 'x' }).body).toBe(
      '{"name":"x","tags":{}}',
    );
    expect(shapeThrown(() => encodeRequest(operations.ListTagsForResource, {}))).toBe('ValidationException');
    expect(encodeRequest(operations.ListTagsForResource, { resourceArn: '\ud800' }).rawPath).toBe('/tags/%EF%BF%BD');
  });

  test('an idempotency token is made up when there is none', () => {
    const input = { stageArn: arn, destinations: [] };
    expect(encodeRequest(operations.StartComposition, input).body).toMatch(/"idempotencyToken":"[0-9a-f-]{36}"/);
    expect(encodeRequest(operations.StartComposition, { ...input, idempotencyToken: 'x' }).body).toContain('"x"');
  });

  test.each(all.map((operation) => [operation.name, operation] as const))(
    '%s is read as it is written',
    (_, operation) => {
      fc.assert(
        fc.property(inputOf(operation.input), (value) => {
          const input = { ...(value as Record<string, unknown>) };
          const { body, ...request } = encodeRequest(operation, input);
          expect(route(request.method, request.rawPath)).toBe(operation);
          const decoded = decodeRequest(operation, { ...request, body: Buffer.from(body ?? '') }) as Record<
            string,
            unknown
          >;
          if (operation.name === 'StartComposition') input.idempotencyToken ??= decoded.idempotencyToken;
          // A list without items leaves no trace in a query.
          if (operation.name === 'UntagResource') decoded.tagKeys ??= [];
          expect(decoded).toEqual(input);
        }),
        { numRuns: 25 },
      );
    },
  );

  test('any bytes are read or refused with an ApiError', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.json().map((json) => Buffer.from(json)),
    );
    fc.assert(
      fc.property(anyOperation, anyText, anyText, bytes, (operation, path, rawQuery, body) => {
        const rawPath = operation.http.path.replace('{resourceArn}', path);
        shapeThrown(() => decodeRequest(operation, parts({ rawPath, rawQuery, body })));
        route(operation.http.method, rawPath);
      }),
      { numRuns: 500 },
    );
  });
});

describe('answers', () => {
  test('hold only members of the model, in its order', () => {
    const stage = { name: 'x', secret: 1, arn, tags: { b: '1', a: '2' }, activeSessionId: undefined };
    expect(encodeResponse(operations.GetStage, { stage })).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: `{"stage":{"arn":"${arn}","name":"x","tags":{"b":"1","a":"2"}}}`,
    });
    expect(encodeResponse(operations.DeleteStage, {}).body).toBe('{}');
  });

  test('of replication consist of headers', () => {
    const answer = encodeResponse(operations.StartParticipantReplication, { cacheControl: 'no-store' });
    expect(answer).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json', ...securityHeaders, 'cache-control': 'no-store' },
      body: '{}',
    });
    expect(decodeResponse(operations.StartParticipantReplication, answer)).toEqual({
      output: expect.objectContaining({
        accessControlAllowOrigin: '*',
        cacheControl: 'no-store',
        xFrameOptions: 'DENY',
      }),
    });
  });

  test('errors carry their type, and their message twice', () => {
    const answer = encodeError(new ApiError('ServiceQuotaExceededException', 'No more'), 'id-1');
    expect(answer.status).toBe(402);
    expect(answer.headers).toEqual({
      ...securityHeaders,
      'content-type': 'application/json',
      'x-amzn-errortype': 'ServiceQuotaExceededException',
      'x-amzn-requestid': 'id-1',
    });
    expect(JSON.parse(answer.body)).toEqual({ exceptionMessage: 'No more', message: 'No more' });
  });

  test('every error is read as it is written', () => {
    for (const code of Object.keys(errors) as ErrorName[]) {
      const answer = encodeError(new ApiError(code, 'Text'), 'id');
      expect(answer.status).toBe(errors[code].status);
      expect(decodeResponse(operations.GetStage, answer)).toEqual({ error: { code, message: 'Text' } });
    }
  });

  test.each([
    [404, { 'x-amzn-errortype': 'A:http://x' }, '{"__type":"n#B","message":"m"}', 'A', 'm'],
    [404, { 'x-amzn-errortype': 'n#A' }, '{}', 'n#A', ''],
    [400, {}, '{"__type":"n#B","Message":"m"}', 'B', 'm'],
    [400, {}, '{"code":"C","__type":"B"}', 'C', ''],
    [400, {}, '{"exceptionMessage":"unseen"}', '400', ''],
    [404, {}, '', '404', ''],
    [503, {}, '<html>', '503', 'Service Unavailable'],
    [500, {}, '{}', '500', ''],
    [302, {}, '', '302', ''],
    [400, {}, '{"message":{"toString":1,"valueOf":1},"code":[]}', '400', ''],
  ])('an error answer %i %j %s', (status, headers, body, code, message) => {
    expect(decodeResponse(operations.GetStage, { status, headers, body })).toEqual({ error: { code, message } });
  });

  test('outputs are read in model order, without nulls and unknown members', () => {
    const body = '{"x":1,"stage":{"tags":{},"name":null,"arn":"a","y":2}}';
    const decoded = decodeResponse(operations.GetStage, { status: 200, headers: {}, body });
    expect(JSON.stringify(decoded)).toBe('{"output":{"stage":{"arn":"a","tags":{}}}}');
    for (const empty of ['', 'x', '[]', 'null'])
      expect(decodeResponse(operations.GetStage, { status: 200, headers: {}, body: empty })).toEqual({ output: {} });
  });

  test.each(all.map((operation) => [operation.name, operation] as const))(
    '%s is read as it is written',
    (_, operation) => {
      fc.assert(
        fc.property(inputOf(operation.output), (output) => {
          const { headers, ...answer } = encodeResponse(operation, output as object);
          const decoded = decodeResponse(operation, { ...answer, headers });
          if (Object.values(operation.output.properties).some(({ location }) => location === 'header')) return;
          expect(decoded).toEqual({ output });
        }),
        { numRuns: 25 },
      );
    },
  );

  test('any answer is read', () => {
    const body = fc.oneof(fc.string(), fc.json());
    fc.assert(
      fc.property(anyOperation, fc.nat(600), body, (operation, status, text) => {
        decodeResponse(operation, { status, headers: {}, body: text });
      }),
    );
  });
});
