import { generateKeyPairSync } from 'node:crypto';
import { type OperationName, operations } from '@footlights/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccessKey } from './credentials.ts';
import { bodyLimit, headersCountLimit } from './http.ts';
import { account, credentials, Harness, region } from './operations/harness.ts';
import { handlers } from './operations/index.ts';

const minute = 60_000;

describe('gateway', () => {
  let api: Harness;
  beforeEach(async () => {
    api = await Harness.open();
  });
  afterEach(() => api.close());

  const post = (rawPath: string, body: string | Uint8Array, headers: Record<string, string> = {}) => ({
    method: 'POST',
    rawPath,
    rawQuery: '',
    headers: { host: 'localhost', 'content-type': 'application/json', ...headers },
    body: Buffer.from(body),
  });

  describe('signatures', () => {
    it('lets a signed call through', async () => {
      const { status, headers } = await api.call('ListStages');
      expect(status).toBe(200);
      expect(headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers['content-type']).toBe('application/json');
    });

    it.each([
      ['unknown key', { credentials: { ...credentials, accessKeyId: 'FLKEYOTHER' } }, 'UnrecognizedClientException'],
      ['wrong secret', { credentials: { ...credentials, secretAccessKey: 'x' } }, 'InvalidSignatureException'],
      ['wrong region', { region: 'eu-west-1' }, 'InvalidSignatureException'],
      ['wrong service', { service: 'ivs-realtime' }, 'InvalidSignatureException'],
    ])('refuses a signature with %s', async (_what, sign, error) => {
      expect(await api.call('ListStages', {}, { sign })).toMatchObject({ status: 403, error });
    });

    it.each([
      [-5 * minute, 200],
      [-5 * minute - 1000, 403],
      [5 * minute, 200],
      [5 * minute + 1000, 403],
    ])('takes a clock that is off by %d ms with %d', async (skew, status) => {
      const now = new Date(api.time + skew);
      expect((await api.call('ListStages', {}, { sign: { now } })).status).toBe(status);
    });

    it('refuses a call that is not signed, or was changed after it was signed', async () => {
      expect(await api.call('ListStages', {}, { sign: false })).toMatchObject({
        status: 403,
        error: 'MissingAuthenticationToken',
      });
      const tampered = { 'content-type': 'application/json; charset=utf-8' };
      expect(await api.call('ListStages', {}, { headers: tampered })).toMatchObject({
        status: 403,
        error: 'InvalidSignatureException',
      });
      expect(
        await api.call('ListStages', {}, { sign: false, headers: { authorization: 'AWS4-HMAC-SHA256 x' } }),
      ).toMatchObject({ status: 403, error: 'IncompleteSignature' });
    });

    it('verifies over the raw path and query', async () => {
      const arn = await api.newStage({ tags: { 'a b': '1', 'c&d': '2', e: '3' } });
      expect((await api.output('ListTagsForResource', { resourceArn: arn })).tags).toEqual({
        'a b': '1',
        'c&d': '2',
        e: '3',
      });
      await api.output('UntagResource', { resourceArn: arn, tagKeys: ['a b', 'c&d'] });
      expect((await api.output('ListTagsForResource', { resourceArn: arn })).tags).toEqual({ e: '3' });
    });

    it('checks the signature before the input, and the operation before the signature', async () => {
      expect((await api.call('GetStage', { arn: 1 }, { sign: false })).status).toBe(403);
      expect((await api.send(post('/NoSuch', '{}'), { sign: false })).error).toBe('UnknownOperationException');
    });

    it('asks for none when it is told so', async () => {
      const open = await Harness.open({ auth: false });
      expect((await open.call('ListStages', {}, { sign: false })).status).toBe(200);
      expect((await open.call('ListStages', {}, { sign: { region: 'elsewhere' } })).status).toBe(200);
      await open.close();
    });
  });

  describe('callers', () => {
    const other = { accessKeyId: 'FLKEYOTHER', secretAccessKey: 'x', accountId: '000000000042', regions: '*' as const };
    const reader = { accessKeyId: 'FLKEYREADER', secretAccessKey: 'y', readOnly: true };
    const europe = { accessKeyId: 'FLKEYEUROPE', secretAccessKey: 'z', regions: ['eu-west-1', 'eu-north-1'] };
    beforeEach(() => {
      api.keys.push(other, reader, europe);
    });
    const by = (key: AccessKey, at = region) => ({ sign: { credentials: key, region: at } });

    it('own what they make under the account of their key and the region that they signed for', async () => {
      const arnBy = async (key: AccessKey, at: string) =>
        ((await api.call('CreateStage', {}, by(key, at))).body.stage as { arn: string }).arn;
      expect(await arnBy(credentials, region)).toMatch(`arn:aws:ivs:${region}:${account}:stage/`);
      expect(await arnBy(other, 'ap-east-1')).toMatch(`arn:aws:ivs:ap-east-1:000000000042:stage/`);
      expect(await arnBy(europe, 'eu-north-1')).toMatch(`arn:aws:ivs:eu-north-1:${account}:stage/`);
    });

    it('are refused where their key is not good', async () => {
      for (const [key, at] of [
        [europe, region],
        [credentials, 'eu-west-1'],
        [other, 'x'.repeat(33)],
      ] as const)
        expect(await api.call('ListStages', {}, by(key, at))).toMatchObject({
          ...{ status: 403, error: 'InvalidSignatureException' },
          message: expect.stringContaining('valid region'),
        });
    });

    it.each(['Get', 'List'])('with a read-only key may %s', async (verb) => {
      for (const name of Object.keys(operations).filter((one) => one.startsWith(verb)) as OperationName[])
        expect((await api.call(name, { resourceArn: 'x' }, by(reader))).error).not.toBe('AccessDeniedException');
    });

    it.each(Object.keys(operations).filter((name) => !/^(Get|List)/.test(name)) as OperationName[])(
      'with a read-only key may not %s',
      async (name) => {
        expect(await api.call(name, { resourceArn: 'x' }, by(reader))).toMatchObject({
          ...{ status: 403, error: 'AccessDeniedException' },
          message: `The access key is read-only: it may not call ivs:${name}`,
        });
      },
    );

    it('see nothing of each other', async () => {
      const pem = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ type: 'spki', format: 'pem' });
      const made = {
        Stage: await api.newStage(),
        EncoderConfiguration: arnIn(await api.output('CreateEncoderConfiguration')),
        StorageConfiguration: arnIn(await api.output('CreateStorageConfiguration', { s3: { bucketName: 'abc' } })),
        IngestConfiguration: arnIn(await api.output('CreateIngestConfiguration', { ingestProtocol: 'RTMPS' })),
        PublicKey: arnIn(await api.output('ImportPublicKey', { publicKeyMaterial: pem })),
      };
      const destinations = [
        {
          s3: {
            storageConfigurationArn: made.StorageConfiguration,
            encoderConfigurationArns: [made.EncoderConfiguration],
          },
        },
      ];
      const composed = { stageArn: made.Stage, destinations, idempotencyToken: 'one' };
      const all = { ...made, Composition: arnIn(await api.output('StartComposition', composed)) };
      for (const [kind, arn] of Object.entries(all))
        for (const key of [by(other), by(other, 'eu-west-1'), by(europe, 'eu-west-1')]) {
          const { body } = await api.call(`List${kind}s` as OperationName, {}, key);
          expect(Object.values(body)).toEqual([[]]);
          for (const name of [`Get${kind}`, kind === 'Composition' ? 'StopComposition' : `Delete${kind}`])
            expect(await api.call(name as OperationName, { arn }, key)).toMatchObject({ status: 404 });
          for (const name of ['TagResource', 'UntagResource', 'ListTagsForResource'] as const)
            expect(await api.call(name, { resourceArn: arn, tags: { a: '' }, tagKeys: ['a'] }, key)).toMatchObject({
              status: 404,
            });
        }
      expect(await api.call('StartComposition', composed, by(other))).toMatchObject({ status: 404 });
      expect(await api.call('ImportPublicKey', { publicKeyMaterial: pem }, by(other))).toMatchObject({ status: 200 });
    });

    it('have quotas and rates of their own', async () => {
      api.quotas.stages = 1;
      api.rateLimits.CreateStage = 2;
      await api.newStage();
      for (const key of [by(other), by(other, 'eu-west-1'), by(europe, 'eu-west-1')])
        expect((await api.call('CreateStage', {}, key)).status).toBe(200);
      expect(await api.call('CreateStage')).toMatchObject({ error: 'ServiceQuotaExceededException' });
      expect(await api.call('CreateStage')).toMatchObject({ status: 400, error: 'ThrottlingException' });
      expect(await api.call('CreateStage', {}, by(reader))).toMatchObject({ error: 'AccessDeniedException' });
      api.time += 1000;
      expect(await api.call('CreateStage')).toMatchObject({ error: 'ServiceQuotaExceededException' });
    });

    const arnIn = (output: object) => (Object.values(output)[0] as { arn: string }).arn;
  });

  describe('operations', () => {
    it.each([
      ['POST', '/NoSuchOperation'],
      ['GET', '/GetStage'],
      ['DELETE', '/'],
      ['PUT', '/tags/x'],
      ['POST', '/tags/a/b'],
      ['POST', `/${'x'.repeat(1000)}`],
      ['POST', '/getstage'],
      ['POST', '/GetStage/'],
      ['PROPFIND', '/GetStage'],
      ['HEAD', '/tags/x'],
    ])('knows no %s %s', async (method, rawPath) => {
      const { status, error, message } = await api.send({ ...post(rawPath, '{}'), method });
      expect({ status, error }).toEqual({ status: 404, error: 'UnknownOperationException' });
      expect(message.length).toBeLessThan(200);
    });

    it('has a handler for each of the 39, and no other', () => {
      expect(Object.keys(handlers).sort()).toEqual(Object.keys(operations).sort());
      expect(Object.keys(handlers)).toHaveLength(39);
      expect(new Set(Object.values(handlers)).size).toBe(39);
    });

    it.each(Object.keys(handlers) as OperationName[])('validates the input of %s', async (name) => {
      const { status, error, message } = await api.call(name, { resourceArn: 'x', name: 1, maxResults: 0 });
      expect({ status, error }).toEqual({ status: 400, error: 'ValidationException' });
      expect(message).toMatch(/^\d+ validation errors? detected: Value .* failed to satisfy constraint: Member must /);
    });

    it('reports all findings of one request together', async () => {
      const { message } = await api.call('ListParticipants', { stageArn: 'x', maxResults: 101, filterByState: 'GONE' });
      expect(message).toMatch(/^4 validation errors detected: /);
      for (const name of ['stageArn', 'sessionId', 'maxResults', 'filterByState'])
        expect(message).toContain(`'${name}'`);
    });
  });

  describe('bodies', () => {
    const padded = (bytes: number) => `{"name":"a"${' '.repeat(bytes - 12)}}`;

    it('may have 1 MiB, and not a byte more', async () => {
      expect(padded(bodyLimit)).toHaveLength(bodyLimit);
      expect((await api.send(post('/CreateStage', padded(bodyLimit)))).status).toBe(200);
      expect(await api.send(post('/CreateStage', padded(bodyLimit + 1)))).toMatchObject({
        status: 413,
        error: 'RequestEntityTooLargeException',
        message: 'The body is larger than 1048576 bytes',
        headers: { 'x-amzn-requestid': expect.stringMatching(/^[0-9a-f-]{36}$/) },
      });
    });

    it.each<[string, string | Uint8Array]>([
      ['truncated JSON', '{"name":"a"'],
      ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
      ['a list', '[]'],
      ['a string', '"a"'],
      ['null', 'null'],
      ['two values', '{}{}'],
    ])('of %s are refused', async (_what, body) => {
      expect(await api.send(post('/CreateStage', body))).toMatchObject({
        status: 400,
        error: 'SerializationException',
      });
    });

    it.each([
      { name: 1 },
      { name: ['a'] },
      { tags: ['a'] },
      { tags: { a: 1 } },
      { participantTokenConfigurations: {} },
      { participantTokenConfigurations: [1] },
      { participantTokenConfigurations: [{ duration: '5' }] },
      { participantTokenConfigurations: [{ duration: 1.5 }] },
    ])('of wrong types are refused: %j', async (input) => {
      expect(await api.call('CreateStage', input)).toMatchObject({ status: 400, error: 'ValidationException' });
    });

    it('must be JSON by their type too', async () => {
      const form = post('/CreateStage', '{}', { 'content-type': 'text/plain' });
      expect(await api.send(form)).toMatchObject({ status: 415, error: 'UnsupportedMediaTypeException' });
    });

    it('may be absent, have unknown members and members that are null', async () => {
      expect((await api.send(post('/CreateStage', ''))).status).toBe(200);
      expect((await api.call('CreateStage', { unknown: { deep: 1 }, __proto__x: 1, name: null })).status).toBe(200);
    });
  });

  describe('errors', () => {
    it('carry type, both messages and a request id', async () => {
      const arn = `arn:aws:ivs:${region}:${account}:stage/none`;
      const { status, body, headers } = await api.call('GetStage', { arn });
      expect(status).toBe(404);
      expect(headers).toMatchObject({
        'x-amzn-errortype': 'ResourceNotFoundException',
        'content-type': 'application/json',
      });
      expect(headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
      expect(body).toEqual({ message: `Stage not found: ${arn}`, exceptionMessage: `Stage not found: ${arn}` });
    });

    it('of our own tell the client nothing, and the log everything', async () => {
      api.store.listStages = async () => {
        throw new Error('the disk is at /secret/path');
      };
      const { status, error, message, headers } = await api.call('ListStages');
      expect({ status, error }).toEqual({ status: 500, error: 'InternalFailure' });
      api.store.compositions.list = () => api.store.listStages({ account, region }, {}) as never;
      expect(await api.call('ListCompositions')).toMatchObject({ status: 500, error: 'InternalServerException' });
      expect(message).toContain(String(headers['x-amzn-requestid']));
      expect(message).not.toContain('secret');
      const line = api.logLines.map((text) => JSON.parse(text)).find(({ level }) => level === 'error');
      expect(line).toMatchObject({
        requestId: headers['x-amzn-requestid'],
        err: { message: 'the disk is at /secret/path', stack: expect.stringContaining('gateway.test.ts') },
      });
    });

    it('are kept to bad HTTP when that is what came', async () => {
      for (const rawPath of ['/tags/%zz', '/%c3', '/%'])
        expect(await api.send(post(rawPath, '{}'))).toMatchObject({
          status: 400,
          error: 'MalformedHttpRequestException',
        });
      expect((await api.call('ListStages')).status).toBe(200);
    });
  });

  describe('browsers', () => {
    const preflight = (of: Harness) =>
      of.send(
        { method: 'OPTIONS', rawPath: '/GetStage', rawQuery: '', headers: { host: 'localhost' }, body: Buffer.of() },
        { sign: false },
      );

    it('may call with a signature', async () => {
      const { status, headers } = await preflight(api);
      expect(status).toBe(204);
      expect(headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET,POST,DELETE,OPTIONS',
        'access-control-allow-headers': expect.stringContaining('authorization,content-type,x-amz-date'),
      });
      expect((await api.call('ListStages')).headers['access-control-allow-origin']).toBe('*');
    });

    it('may not call when everybody could', async () => {
      const open = await Harness.open({ auth: false });
      expect((await preflight(open)).headers).not.toHaveProperty('access-control-allow-origin');
      for (const name of ['ListStages', 'GetStage'] as const) {
        const { headers } = await open.call(name, {}, { sign: false });
        expect(Object.keys(headers).filter((header) => header.startsWith('access-control-'))).toEqual([]);
      }
      await open.close();
    });
  });

  it('counts calls, those of unknown operations under one name', async () => {
    await api.call('ListStages');
    await api.call('GetStage', {});
    await api.send(post('/A', '{}'));
    await api.send(post('/B', '{}'));
    const text = await api.metrics.registry.getSingleMetricAsString('footlights_api_requests_total');
    expect(text).toContain('{operation="ListStages",status="200"} 1');
    expect(text).toContain('{operation="GetStage",status="400"} 1');
    expect(text).toContain('{operation="unknown",status="404"} 2');
  });

  it('never logs a secret', async () => {
    const { participantToken } = await api.output('CreateParticipantToken', { stageArn: await api.newStage() });
    const { token } = participantToken as { token: string };
    expect(api.logLines.length).toBeGreaterThan(1);
    for (const secret of [token, credentials.secretAccessKey, 'Signature='])
      expect(api.logLines.join('')).not.toContain(secret);
  });

  it('takes 100 headers and not one more', async () => {
    const headers = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, '']));
    const own = 6;
    expect((await api.call('ListStages', {}, { headers: headers(headersCountLimit - own) })).status).toBe(200);
    expect((await api.call('ListStages', {}, { headers: headers(headersCountLimit + 1) })).status).toBe(431);
  });
});
