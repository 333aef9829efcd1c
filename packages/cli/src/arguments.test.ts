import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Operation, operations, type StructureShape, shapeOf } from '@footlights/model';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildInput, commandOptions, kebab, parseCommandLine } from './arguments.ts';
import { commands } from './command.ts';
import { globalOptions } from './globals.ts';
import { inputSkeleton } from './skeleton.ts';
import { validateInput } from './validation.ts';

const input = (operation: Operation, ...argv: string[]) => buildInput(operation, parseCommandLine(operation, argv));
const all: [string, Operation][] = Object.values(operations).map((operation) => [operation.name, operation]);

describe('every command', () => {
  it('has the kebab-case name of its operation', () => {
    expect(commands.size).toBe(39);
    expect(commands.get('get-stage')).toBe(operations.GetStage);
    expect([...commands.keys()].every((name) => /^[a-z]+(-[a-z]+)+$/.test(name))).toBe(true);
    expect(kebab('s3')).toBe('s3');
  });

  it.each(all)('%s: one option for each member, two for a boolean, none that hides a global one', (_, operation) => {
    const { properties, required = [] } = shapeOf(operation.input) as StructureShape;
    const options = commandOptions(operation).filter((option) => 'member' in option);
    for (const [member, schema] of Object.entries(properties)) {
      const own = options.filter((option) => option.member === member);
      const boolean = shapeOf(schema).kind === 'boolean';
      expect(own.map(({ name }) => name)).toEqual(
        boolean ? [`--${kebab(member)}`, `--no-${kebab(member)}`] : [`--${kebab(member)}`],
      );
      expect(own[0]!.required).toBe(required.includes(member));
    }
    const globals = new Set(globalOptions.map(({ name }) => name));
    expect(options.filter(({ name }) => globals.has(name))).toEqual([]);
  });

  it.each(all)('%s: refuses to run without its required options and names them', (_, operation) => {
    const { required = [] } = shapeOf(operation.input) as StructureShape;
    const names = required.map((member) => `--${kebab(member)}`);
    if (names.length === 0) expect(input(operation)).toEqual({});
    else expect(() => input(operation)).toThrow(`the following arguments are required: ${names.join(', ')}\n`);
  });

  it.each(all)('%s: takes its own skeleton back', (_, operation) => {
    const skeleton = JSON.stringify(inputSkeleton(operation), (_key, value) => value?.value ?? value);
    expect(input(operation, '--cli-input-json', skeleton)).toEqual(JSON.parse(skeleton));
  });
});

describe('values', () => {
  const create = operations.CreateStage;
  const token = operations.CreateParticipantToken;

  it.each<[string, Operation, string[], object]>([
    ['a string', operations.GetStage, ['--arn', 'x'], { arn: 'x' }],
    ['an integer', operations.ListStages, ['--max-results', ' 1_0 '], { maxResults: 10 }],
    ['the last of two', operations.GetStage, ['--arn', 'x', '--arn', 'y'], { arn: 'y' }],
    [
      'words',
      token,
      ['--stage-arn', 'a', '--capabilities', 'PUBLISH', 'A,B'],
      { stageArn: 'a', capabilities: ['PUBLISH', 'A,B'] },
    ],
    ['no words', token, ['--stage-arn', 'a', '--capabilities'], { stageArn: 'a', capabilities: [] }],
    ['a JSON list', token, ['--stage-arn', 'a', '--capabilities', '["X"]'], { stageArn: 'a', capabilities: ['X'] }],
    ['a map', create, ['--tags', 'a=b,c=d'], { tags: { a: 'b', c: 'd' } }],
    ['a JSON map', create, ['--tags', ' {"a":"b"}'], { tags: { a: 'b' } }],
    [
      'structures',
      create,
      ['--participant-token-configurations', 'userId=u,duration=5', 'capabilities=PUBLISH'],
      { participantTokenConfigurations: [{ userId: 'u', duration: 5 }, { capabilities: ['PUBLISH'] }] },
    ],
    [
      'JSON structures',
      create,
      ['--participant-token-configurations', '{"userId":"u"}', '{}'],
      { participantTokenConfigurations: [{ userId: 'u' }, {}] },
    ],
    [
      'typed members',
      operations.CreateEncoderConfiguration,
      ['--video', 'framerate=29.97,width=640'],
      { video: { framerate: 29.97, width: 640 } },
    ],
    [
      'nested members',
      create,
      [
        '--auto-participant-recording-configuration',
        'recordParticipantReplicas=TRUE,thumbnailConfiguration={storage=LATEST}',
      ],
      {
        autoParticipantRecordingConfiguration: {
          recordParticipantReplicas: true,
          thumbnailConfiguration: { storage: ['LATEST'] },
        },
      },
    ],
    [
      'a flag',
      operations.DeleteIngestConfiguration,
      ['--arn', 'a', '--no-force', '--force'],
      { arn: 'a', force: true },
    ],
    [
      'a negated flag',
      operations.DeleteIngestConfiguration,
      ['--arn', 'a', '--force', '--no-force'],
      { arn: 'a', force: false },
    ],
    [
      'JSON under options',
      create,
      ['--name', 'n', '--cli-input-json', '{"name":"x","tags":{"a":"b"}}'],
      { name: 'n', tags: { a: 'b' } },
    ],
  ])('are read: %s', (_, operation, argv, expected) => {
    expect(input(operation, ...argv)).toEqual(expected);
  });

  it('stand in the order of the model, what --cli-input-json adds last', () => {
    const line = ['--tags', 'a=b', '--name', 'n', '--cli-input-json', '{"participantTokenConfigurations":[]}'];
    expect(Object.keys(input(create, ...line))).toEqual(['name', 'tags', 'participantTokenConfigurations']);
  });

  it.each<[Operation, string[], string]>([
    [operations.ListStages, ['--max-results', 'abc'], "invalid literal for int() with base 10: 'abc'"],
    [operations.CreateEncoderConfiguration, ['--video', 'framerate=x'], "could not convert string to float: 'x'"],
    [create, ['--tags', 'a'], "Error parsing parameter '--tags': Expected: '=', received: 'EOF'"],
    [create, ['--tags', '{a'], "Error parsing parameter '--tags': Invalid JSON: "],
    [
      create,
      ['--cli-input-json', '[]'],
      "Error parsing parameter '--cli-input-json': Invalid type: expecting map, received <class 'list'>",
    ],
    [create, ['--cli-input-json', 'a: b'], "Error parsing parameter 'cli-input-json': Invalid JSON received."],
    [create, ['--bogus', 'x', '--other', 'y'], '\n\nUnknown options: --bogus, --other, y, x\n'],
  ])('are refused: %#', (operation, argv, message) => {
    expect(() => input(operation, ...argv)).toThrow(message);
  });

  it('go through JSON and come out the same', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (tags) => {
        expect(input(create, '--tags', JSON.stringify(tags))).toEqual({ tags });
      }),
    );
  });
});

describe('files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'footlights-cli-'));
    writeFileSync(join(folder, 'text'), 'été\n');
    writeFileSync(join(folder, 'bytes'), Buffer.from([0xff, 0x41]));
    writeFileSync(join(folder, 'tags.json'), '{"a":"b"}');
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const create = operations.CreateStage;

  it('stand for values of any option', () => {
    expect(input(create, '--name', `file://${folder}/text`)).toEqual({ name: 'été\n' });
    expect(input(create, '--tags', `file://${folder}/tags.json`)).toEqual({ tags: { a: 'b' } });
    expect(input(create, '--cli-input-json', `file://${folder}/tags.json`)).toEqual({ a: 'b' });
  });

  it('give bytes with fileb://, which no string member takes', () => {
    const value = input(create, '--name', `fileb://${folder}/bytes`);
    expect(() => validateInput(create, value)).toThrow(
      "Invalid type for parameter name, value: b'\\xffA', type: <class 'bytes'>, valid types: <class 'str'>",
    );
  });

  it.each([
    ['gone', "Unable to load paramfile file://FOLDER/gone: [Errno 2] No such file or directory: 'FOLDER/gone'"],
    ['', "Unable to load paramfile file://FOLDER/: [Errno 21] Is a directory: 'FOLDER/'"],
    ['bytes', 'Unable to load paramfile (FOLDER/bytes), text contents could not be decoded.'],
  ])('are refused when they cannot be read: %s', (name, message) => {
    expect(() => input(create, '--name', `file://${folder}/${name}`)).toThrow(
      `Error parsing parameter '--name': ${message.replaceAll('FOLDER', folder)}`,
    );
  });
});
