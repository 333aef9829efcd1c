import {
  type Operation,
  type OperationName,
  operations,
  type Shape,
  type StringShape,
  shapeOf,
  type TSchema,
} from '@footlights/model';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';
import { sampleInputs } from './sample-inputs.ts';

// No request of any form may give a 500. A failure prints its seed; FUZZ_SECONDS makes the search longer.

const seconds = Number(process.env.FUZZ_SECONDS ?? 3);
const bounded = { numRuns: 1_000_000, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false };

let api: Harness;
/** ARNs of things that are there. */
const known: string[] = [];

beforeAll(async () => {
  api = await Harness.open({ auth: false });
  const arnIn = (output: object) => (Object.values(output)[0] as { arn: string }).arn;
  const stageArn = await api.newStage({ tags: { a: 'b' } });
  const encoder = arnIn(await api.output('CreateEncoderConfiguration'));
  const storage = arnIn(await api.output('CreateStorageConfiguration', { s3: { bucketName: 'bucket' } }));
  const s3 = { storageConfigurationArn: storage, encoderConfigurationArns: [encoder] };
  known.push(
    ...[stageArn, await api.newStage(), encoder, storage],
    arnIn(await api.output('CreateIngestConfiguration', { ingestProtocol: 'RTMPS', stageArn })),
    arnIn(await api.output('ImportPublicKey', sampleInputs.ImportPublicKey)),
    arnIn(await api.output('StartComposition', { stageArn, destinations: [{ s3 }] })),
  );
});
afterAll(() => api.close());

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('', '__proto__', 'constructor'));
const anyJson = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(1e308, -0, 2 ** 53, [], {}, null));

/** A value of the shape's form, within its limits or not, and now and then anything else. */
function nearly(schema: TSchema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 50, arbitrary: wellFormed(shapeOf(schema)) }, { weight: 1, arbitrary: anyJson });
}

function wellFormed(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'structure': {
      const members = Object.entries(shape.properties).map(([name, member]) => [name, nearly(member)] as const);
      return fc.record(Object.fromEntries(members), { requiredKeys: [...(shape.required ?? [])] });
    }
    case 'list':
      return fc.array(nearly(shape.items), { maxLength: 3 });
    case 'map':
      return fc.dictionary(anyText, nearly(shape.additionalProperties), { maxKeys: 3 });
    case 'string':
      return textOf(shape);
    case 'timestamp':
      return fc.constant('2026-01-01T00:00:00Z');
    case 'boolean':
      return fc.boolean();
    default:
      return fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: shape.minimum ?? -5, max: shape.maximum ?? 5 }) },
        fc.double(),
      );
  }
}

function textOf({ enum: values, pattern = '' }: StringShape): fc.Arbitrary<unknown> {
  if (values) return fc.constantFrom(...values);
  if (!pattern) return anyText;
  const fitting = fc.stringMatching(new RegExp(`^(?:${pattern})$`));
  const [, type] = /:([a-z-]+)\//.exec(pattern) ?? [];
  const arns = fc.nat().map((i) => {
    const fit = known.filter((arn) => !type || arn.includes(`:${type}/`));
    return fit[i % Math.max(1, fit.length)] ?? '';
  });
  return /arn:/.test(pattern)
    ? fc.oneof({ weight: 8, arbitrary: arns }, fitting)
    : fc.oneof({ weight: 4, arbitrary: fc.constantFrom('', 'a') }, { weight: 4, arbitrary: fitting }, anyText);
}

const anOperation = fc.constantFrom(...(Object.keys(operations) as OperationName[]));
const aCall = anOperation.chain((name) => {
  const { input }: Operation = operations[name];
  return fc.tuple(fc.constant(name), fc.oneof({ weight: 20, arbitrary: wellFormed(shapeOf(input)) }, anyJson));
});

function bodyOf(input: unknown): string {
  const { resourceArn: _inThePath, ...body } = Object(input) as Record<string, unknown>;
  return JSON.stringify(typeof input === 'object' && input !== null && !Array.isArray(input) ? body : input);
}

function pathOf({ http }: Operation, input: unknown): string {
  const { resourceArn = known[0] } = Object(input) as Record<string, unknown>;
  return http.path.replace('{resourceArn}', encodeURIComponent(String(resourceArn).replace(/\p{Surrogate}/gu, '?')));
}

describe('any request', () => {
  it(
    'that has the form of an operation’s input is answered',
    async () => {
      const answered = new Set<string>();
      await fc.assert(
        fc.asyncProperty(aCall, async ([name, input]) => {
          const operation: Operation = operations[name];
          // Nothing that the others need goes away.
          if (name.startsWith('Delete')) return;
          const parts = {
            method: operation.http.method,
            rawPath: pathOf(operation, input),
            rawQuery: name === 'UntagResource' ? 'tagKeys=a&tagKeys=%F0%9F%8E%AD' : '',
            headers: { host: 'localhost', 'content-type': 'application/json' },
            body: Buffer.from(operation.http.method === 'POST' ? (bodyOf(input) ?? '') : ''),
          };
          const { status, error = '' } = await api.send(parts, { sign: false });
          if (status === 200) answered.add(name);
          expect([200, 400, 402, 404, 409], `${name} ${status} ${error}`).toContain(status);
        }),
        bounded,
      );
      // The search reaches what lies behind the checks.
      expect(answered.size).toBeGreaterThan(10);
    },
    (seconds + 30) * 1000,
  );

  it(
    'of any bytes is answered',
    async () => {
      const methods = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD');
      const paths = fc.oneof(
        anOperation.map((name) => `/${name}`),
        fc.webPath().map((path) => path.replace(/^\/*/, '/')),
        fc.string({ unit: 'grapheme-ascii' }).map((text) => `/tags/${text.replace(/[^!-~]|[?#]/g, '')}`),
      );
      const request = fc.record({
        method: methods,
        rawPath: paths,
        rawQuery: fc.webQueryParameters(),
        contentType: fc.constantFrom('application/json', 'application/x-amz-json-1.1; charset=x', 'text/plain', ''),
        body: fc.oneof(
          fc.json().map((text) => Buffer.from(text)),
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
      });
      await fc.assert(
        fc.asyncProperty(request, async ({ contentType, ...parts }) => {
          const headers = { host: 'localhost', ...(contentType && { 'content-type': contentType }) };
          const { status, error = '' } = await api.send({ ...parts, headers }, { sign: false });
          expect(status, `${status} ${error}`).toBeLessThan(500);
        }),
        bounded,
      );
    },
    (seconds + 30) * 1000,
  );
});
