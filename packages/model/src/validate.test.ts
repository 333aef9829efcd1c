import type { TSchema } from '@sinclair/typebox';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from './errors.ts';
import { inputOf } from './inputs.testing.ts';
import { type Operation, operations } from './operations.ts';
import { required, type StringShape, shapeOf, string, structure, timestamp } from './schema.ts';
import * as common from './shapes/common.ts';
import { StreamKey } from './shapes/ingest.ts';
import { PublicKeyMaterial } from './shapes/public-key.ts';
import { assertValid, MAX_ECHO_LENGTH, MAX_FINDINGS, validate } from './validate.ts';

const stageArn = 'arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh';
const createStage = operations.CreateStage.input;

describe('wording', () => {
  test('a missing member', () => {
    expect(validate(operations.GetStage.input, {})).toEqual([
      "Value at 'arn' failed to satisfy constraint: Member must not be null",
    ]);
    expect(validate(operations.GetStage.input, { arn: null })).toEqual(validate(operations.GetStage.input, {}));
  });

  test.each([
    [
      'length',
      { name: 'a'.repeat(129) },
      `Value '${'a'.repeat(129)}' at 'name'`,
      'Member must have length less than or equal to 128',
    ],
    [
      'pattern',
      { name: 'a b' },
      "Value 'a b' at 'name'",
      'Member must satisfy regular expression pattern: [a-zA-Z0-9-_]*',
    ],
    [
      'a number in a list of structures',
      { participantTokenConfigurations: [{ duration: 0 }] },
      "Value '0' at 'participantTokenConfigurations.1.member.duration'",
      'Member must have value greater than or equal to 1',
    ],
    [
      'an enumeration in a list',
      { participantTokenConfigurations: [{}, { capabilities: ['PUBLISH', 'WATCH'] }] },
      "Value 'WATCH' at 'participantTokenConfigurations.2.member.capabilities.2.member'",
      'Member must satisfy enum value set: [PUBLISH, SUBSCRIBE]',
    ],
    [
      'a map value',
      { tags: { a: 'v'.repeat(257) } },
      `Value '${'v'.repeat(256)}…' at 'tags.a.member'`,
      'Member must have length less than or equal to 256',
    ],
    ['a null in a map', { tags: { a: null } }, "Value at 'tags.a.member'", 'Member must not be null'],
    [
      'a map key',
      { tags: { '': 'v' } },
      "Value '' at 'tags'",
      'Map keys must satisfy constraint: [Member must have length greater than or equal to 1]',
    ],
    ['a string', { name: 5 }, "Value '5' at 'name'", 'Member must be a string'],
    [
      'a list',
      { participantTokenConfigurations: {} },
      "Value at 'participantTokenConfigurations'",
      'Member must be a list',
    ],
    ['a map', { tags: ['a'] }, "Value at 'tags'", 'Member must be a map'],
    [
      'a structure',
      { autoParticipantRecordingConfiguration: 'x' },
      "Value 'x' at 'autoParticipantRecordingConfiguration'",
      'Member must be a structure',
    ],
    [
      'a boolean',
      { autoParticipantRecordingConfiguration: { storageConfigurationArn: '', recordParticipantReplicas: 'true' } },
      "Value 'true' at 'autoParticipantRecordingConfiguration.recordParticipantReplicas'",
      'Member must be a boolean',
    ],
    [
      'half a surrogate pair',
      { tags: { a: '\ud800' } },
      "Value '\ud800' at 'tags.a.member'",
      'Member must be well-formed Unicode',
    ],
  ])('%s', (_, input, subject, constraint) => {
    expect(validate(createStage, input)).toEqual([`${subject} failed to satisfy constraint: ${constraint}`]);
  });

  test('all findings come together, counted', () => {
    const input = { stageArn: 'x', duration: 20_161 };
    expect(() => assertValid(operations.CreateParticipantToken, input)).toThrow(
      new ApiError(
        'ValidationException',
        "2 validation errors detected: Value 'x' at 'stageArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:aws:ivs:[a-z0-9-]+:[0-9]+:stage/[a-zA-Z0-9-]+; Value '20161' at 'duration' failed to satisfy constraint: Member must have value less than or equal to 20160",
      ),
    );
    expect(() => assertValid(operations.GetStage, {})).toThrow(/^1 validation error detected: Value at 'arn' /);
    expect(() => assertValid(operations.GetStage, { arn: stageArn })).not.toThrow();
  });

  test('an input that is no object', () => {
    for (const input of [null, undefined, [], 'x', 1]) expect(validate(createStage, input)).toHaveLength(1);
  });

  test('a secret is never repeated', () => {
    const schema = structure({ streamKey: required(StreamKey, 'Secret.') });
    expect(validate(schema, { streamKey: 'hidden' })[0]).toMatch(/^Value at 'streamKey' failed .*pattern/);
    expect(validate(schema, { streamKey: 12345 })).toEqual([
      "Value at 'streamKey' failed to satisfy constraint: Member must be a string",
    ]);
  });

  test('members that the model does not know are ignored', () => {
    expect(validate(operations.GetStage.input, { arn: stageArn, bogus: { deep: [1] } })).toEqual([]);
  });
});

describe('limits at their edges', () => {
  const findings = (schema: TSchema, value: unknown) => validate(schema, value).length;

  test.each(Object.values(operations).map((operation: Operation) => [operation.name, operation] as const))(
    '%s',
    (_, operation) => {
      for (const [name, member] of Object.entries(operation.input.properties)) {
        const shape = shapeOf(member);
        if (shape.kind === 'integer' || shape.kind === 'float') {
          const { minimum, maximum } = shape;
          if (minimum !== undefined)
            expect([findings(member, minimum), findings(member, minimum - 1)], name).toEqual([0, 1]);
          if (maximum !== undefined)
            expect([findings(member, maximum), findings(member, maximum + 1)], name).toEqual([0, 1]);
        } else if (shape.kind === 'string' && shape.maxLength !== undefined && shape.maxLength !== shape.minLength) {
          const text = longest(shape);
          expect([findings(member, text), findings(member, `${text}a`)], name).toEqual([0, 1]);
        }
      }
    },
  );

  /** A string of the greatest length that fits the pattern. */
  function longest({ pattern = '', maxLength = 0 }: StringShape): string {
    const type = /:([a-z-]+|\[a-z-\]\+)\/\[a-zA-Z0-9-\]\+\$?$/.exec(pattern)?.[1];
    const prefix =
      type === undefined ? '' : `arn:aws:ivs:us-west-2:123456789012:${type.startsWith('[') ? 'stage' : type}/`;
    return prefix + 'a'.repeat(maxLength - prefix.length);
  }

  const { CreateStage, StartComposition, CreateEncoderConfiguration, CreateStorageConfiguration } = operations;
  const recording = CreateStage.input.properties.autoParticipantRecordingConfiguration.properties;
  const s3 = StartComposition.input.properties.destinations.items.properties.s3.properties;
  const video = CreateEncoderConfiguration.input.properties.video.properties;

  test.each<[string, TSchema, object]>([
    ['stages in a page', operations.ListStages.input.properties.maxResults, { minimum: 1, maximum: 100 }],
    ['replicas in a page', operations.ListParticipantReplicas.input.properties.maxResults, { minimum: 1, maximum: 50 }],
    ['a page token', operations.ListStages.input.properties.nextToken, { maxLength: 1024 }],
    [
      'minutes of a token',
      operations.CreateParticipantToken.input.properties.duration,
      { minimum: 1, maximum: 20_160 },
    ],
    ['a session id', operations.GetStageSession.input.properties.sessionId, { minLength: 16, maxLength: 16 }],
    ['a participant id', operations.GetParticipant.input.properties.participantId, { maxLength: 64 }],
    ['a reason', operations.DisconnectParticipant.input.properties.reason, { maxLength: 128 }],
    ['an idempotency token', StartComposition.input.properties.idempotencyToken, { minLength: 1, maxLength: 64 }],
    ['a bucket', CreateStorageConfiguration.input.properties.s3.properties.bucketName, { minLength: 3, maxLength: 63 }],
    ['the reconnect window', recording.recordingReconnectWindowSeconds, { minimum: 0, maximum: 300 }],
    [
      'a recorded segment',
      recording.hlsConfiguration.properties.targetSegmentDurationSeconds,
      { minimum: 2, maximum: 10 },
    ],
    [
      'a thumbnail interval',
      recording.thumbnailConfiguration.properties.targetIntervalSeconds,
      { minimum: 1, maximum: 86_400 },
    ],
    ['kinds of thumbnails', recording.thumbnailConfiguration.properties.storage, { maxItems: 2 }],
    ['media types', recording.mediaTypes, { maxItems: 1 }],
    ['encoders of a recording', s3.encoderConfigurationArns, { minItems: 1, maxItems: 1 }],
    ['thumbnails of a recording', s3.thumbnailConfigurations, { maxItems: 1 }],
    ['width', video.width, { minimum: 2, maximum: 1920 }],
    ['height', video.height, { minimum: 2, maximum: 1920 }],
    ['framerate', video.framerate, { minimum: 1, maximum: 60 }],
    ['bitrate', video.bitrate, { minimum: 1, maximum: 8_500_000 }],
  ])('%s has the limits of AWS', (_, schema, limits) => expect(schema).toMatchObject(limits));

  test('lengths count code points, not UTF-16 units', () => {
    expect(findings(common.UserId, '😀'.repeat(128))).toBe(0);
    expect(findings(common.UserId, '😀'.repeat(129))).toBe(1);
    expect(findings(string({ minLength: 2 }), '😀')).toBe(1);
    expect(findings(string({ minLength: 2 }), '😀😀')).toBe(0);
  });

  test('lists and maps', () => {
    const tags = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, '']));
    expect([findings(common.Tags, tags(50)), findings(common.Tags, tags(51))]).toEqual([0, 1]);
    const configurations = (n: number) => ({ participantTokenConfigurations: Array.from({ length: n }, () => ({})) });
    expect([findings(createStage, configurations(12)), findings(createStage, configurations(13))]).toEqual([0, 1]);
    const destinations = operations.StartComposition.input.properties.destinations;
    expect([findings(destinations, []), findings(destinations, [{}]), findings(destinations, [{}, {}, {}])]).toEqual([
      1, 0, 1,
    ]);
  });

  test('attributes hold 1024 bytes of UTF-8, keys and values together', () => {
    const attributes = common.ParticipantAttributes;
    expect(findings(attributes, { é: 'a'.repeat(1022) })).toBe(0);
    expect(validate(attributes, { é: 'a'.repeat(1023) })).toEqual([
      "Value at 'input' failed to satisfy constraint: Member must have a total size of at most 1024 bytes",
    ]);
    expect(
      findings(
        attributes,
        Object.fromEntries(Array.from({ length: 512 }, (_, i) => [i.toString(36).padStart(2, '0'), ''])),
      ),
    ).toBe(0);
  });

  test('integers are whole and of 32 bits, floats are finite', () => {
    const { gridGap } = operations.StartComposition.input.properties.layout.properties.grid.properties;
    expect([findings(gridGap, 2_147_483_647), findings(gridGap, 2_147_483_648), findings(gridGap, 1.5)]).toEqual([
      0, 1, 1,
    ]);
    const { framerate } = operations.CreateEncoderConfiguration.input.properties.video.properties;
    expect([findings(framerate, 29.97), findings(framerate, JSON.parse('1e400')), findings(framerate, '30')]).toEqual([
      0, 1, 1,
    ]);
  });

  test('times', () => {
    for (const good of ['2026-11-23T01:02:03Z', '2026-11-23T01:02:03.5+01:00'])
      expect(findings(timestamp(), good)).toBe(0);
    for (const bad of ['2026-11-23', '2026-13-01T00:00:00Z', 5, 'x']) expect(findings(timestamp(), bad)).toBe(1);
  });

  test('findings and echoes are bounded', () => {
    const many = { participantTokenConfigurations: Array.from({ length: 12 }, () => ({ duration: 0, userId: 1 })) };
    expect(validate(createStage, many)).toHaveLength(MAX_FINDINGS);
    const [finding = ''] = validate(createStage, { name: ' '.repeat(100_000) });
    expect(finding).toContain(`Value '${' '.repeat(MAX_ECHO_LENGTH)}…' at`);
    expect(findings(createStage, { name: 'x'.repeat(128) })).toBe(0);
  });
});

describe('patterns', () => {
  test('a hyphen between range and underscore is a hyphen, not a range', () => {
    const ok = (text: string) => validate(common.ResourceName, text).length === 0;
    expect(ok('aZ09-_')).toBe(true);
    for (const between of [':', ';', '<', '=', '>', '?', '@', '[', '\\', ']', '^', '.', '/', ' ', '\n'])
      expect(ok(between), between).toBe(false);
  });

  test('match whole strings', () => {
    const arn = common.StageArn;
    for (const bad of [`x${stageArn}`, `${stageArn}/`, `${stageArn}\n`, '', stageArn.replace('stage', 'channel')])
      expect(validate(arn, bad).length, bad).toBeGreaterThan(0);
    const orEmpty = operations.UpdateIngestConfiguration.input.properties.stageArn;
    for (const good of ['', stageArn]) expect(validate(orEmpty, good)).toEqual([]);
    for (const bad of ['x', ` ${stageArn}`, `${stageArn} `]) expect(validate(orEmpty, bad)).toHaveLength(1);
  });

  test('every kind of ARN can be tagged', () => {
    for (const type of [
      'stage',
      'composition',
      'encoder-configuration',
      'storage-configuration',
      'ingest-configuration',
      'public-key',
      'channel',
    ])
      expect(validate(common.ResourceArn, `arn:aws:ivs:us-west-2:123456789012:${type}/a-B-1`)).toEqual([]);
  });

  test('a PEM with line feeds or carriage returns', () => {
    const pem = (newline: string) =>
      ['-----BEGIN PUBLIC KEY-----', 'MHYwEAYH+/=', 'abc', '-----END PUBLIC KEY-----', ''].join(newline);
    for (const good of [pem('\n'), pem('\r\n'), pem('\n').trim()])
      expect(validate(PublicKeyMaterial, good)).toEqual([]);
    for (const bad of ['', 'x', pem('\n').replace('PUBLIC', 'PRIVATE'), `${pem('\n')}\nmore\n`])
      expect(validate(PublicKeyMaterial, bad)).toHaveLength(1);
  });

  test('none takes long on hostile text', () => {
    const size = 200_000;
    const hostile = [
      '-----BEGIN PUBLIC KEY-----'.repeat(size / 26),
      `-----BEGIN PUBLIC KEY-----\n${'\r\n'.repeat(size / 2)}`,
      `-----BEGIN PUBLIC KEY-----\n${'A\n'.repeat(size / 2)}-----END PUBLIC KEY----`,
      `arn:aws:ivs:${'-'.repeat(size)}:`,
      `arn:aws:ivs:a:${'1'.repeat(size)}:stage/`,
      `${'a'.repeat(size)} `,
    ];
    const strings = (schema: TSchema): TSchema[] => {
      const shape = shapeOf(schema);
      if (shape.kind === 'structure') return Object.values(shape.properties).flatMap(strings);
      if (shape.kind === 'list') return strings(shape.items);
      return shape.kind === 'string' ? [schema] : [];
    };
    const byPattern = new Map(
      Object.values(operations)
        .flatMap((o) => [...strings(o.input), ...strings(o.output)])
        .map((s) => [s.pattern, s]),
    );
    const start = performance.now();
    for (const schema of byPattern.values()) for (const text of hostile) validate(schema, text);
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

describe('any JSON', () => {
  const anyOperation = fc.constantFrom<Operation[]>(...Object.values(operations));

  test('never throws, and never says more than the bound', () => {
    fc.assert(
      fc.property(anyOperation, fc.jsonValue({ maxDepth: 5 }), (operation, value) => {
        expect(validate(operation.input, value).length).toBeLessThanOrEqual(MAX_FINDINGS);
      }),
    );
  });

  test('never throws on the right members with any values', () => {
    const cases = anyOperation.chain((operation) =>
      fc.tuple(
        fc.constant(operation),
        fc.record(Object.fromEntries(Object.keys(operation.input.properties).map((name) => [name, fc.jsonValue()]))),
      ),
    );
    fc.assert(fc.property(cases, ([operation, value]) => validate(operation.input, value).length <= MAX_FINDINGS));
  });

  test.each(Object.values(operations).map(({ name, input }) => [name, input] as const))('fits: %s', (_, input) => {
    fc.assert(
      fc.property(inputOf(input), (value) => {
        expect(validate(input, value)).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  test('deep nesting, great arrays and names from the prototype do no harm', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 200_000; i += 1) deep = [deep];
    expect(validate(createStage, { name: deep, tags: { a: deep } })).toHaveLength(2);
    const great = Array.from({ length: 1_000_000 }, () => null);
    expect(validate(createStage, { participantTokenConfigurations: great })).toHaveLength(1);
    // An object that cannot be made a number or text.
    expect(validate(operations.ListStages.input, { maxResults: { toString: '', valueOf: '' } })).toHaveLength(1);
    const hostile = JSON.parse('{"__proto__":{"arn":"x"},"constructor":1,"toString":null}');
    expect(validate(operations.GetStage.input, hostile)).toEqual([
      "Value at 'arn' failed to satisfy constraint: Member must not be null",
    ]);
    expect(validate(createStage, { tags: JSON.parse('{"__proto__":"v"}') })).toEqual([]);
    expect(validate(createStage, { tags: JSON.parse('{"__proto__":5}') })).toHaveLength(1);
  });
});
