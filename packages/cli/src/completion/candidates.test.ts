import { operations } from '@footlights/model';
import { describe, expect, it } from 'vitest';
import { candidatesFor, type KnownValues } from './candidates.ts';
import { listOperation } from './known-values.ts';
import { completionScript } from './scripts.ts';

const asked: [string, string, Record<string, string>][] = [];
const known: KnownValues = async ({ name }, member, given) => {
  asked.push([name, member, Object.fromEntries(given)]);
  return [{ word: 'arn:known', note: 'demo' }];
};

const words = async (...line: string[]): Promise<string[]> =>
  (await candidatesFor(line, known)).map(({ word }) => word);

describe('candidates', () => {
  it.each<[string[], string[]]>([
    [['ivs'], ['ivs-realtime']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['ivs-realtime', 'get-stage'],
      ['get-stage', 'get-stage-session'],
    ],
    [
      ['--region', 'eu-west-1', 'ivs-realtime', 'delete-st'],
      ['delete-stage', 'delete-storage-configuration'],
    ],
    [
      ['ivs-realtime', 'get-stage', '--output', 'y'],
      ['yaml', 'yaml-stream'],
    ],
    [
      ['ivs-realtime', 'get-stage', '--generate-cli-skeleton', ''],
      ['input', 'output', 'yaml-input'],
    ],
    [['ivs-realtime', 'create-participant-token', '--capabilities', 'PUBLISH', 'S'], ['SUBSCRIBE']],
    [
      ['ivs-realtime', 'list-participants', '--filter-by-state', ''],
      ['CONNECTED', 'DISCONNECTED'],
    ],
    [['ivs-realtime', 'get-stage', '--arn', 'arn:'], ['arn:known']],
    [['watch', '--stage-arn', ''], ['arn:known']],
    [['events', ''], ['tail']],
    [['events', 'tail', '--stage-arn', ''], ['arn:known']],
    [['events', 'tail', '--l'], ['--last']],
    [['ivs-realtime', 'no-such', ''], []],
    [['start', ''], []],
  ])('%j', async (line, expected) => {
    expect(await words(...line)).toEqual(expected);
  });

  it('offers required options first, and none that is there', async () => {
    const options = await words('ivs-realtime', 'list-participants', '--stage-arn', 'a', '');
    expect(options[0]).toBe('--session-id');
    expect(options).not.toContain('--stage-arn');
    expect(await words('ivs-realtime', 'get-stage', '--no-v')).toEqual(['--no-verify-ssl']);
  });

  it('asks the server with what the line says already', async () => {
    asked.length = 0;
    await words('ivs-realtime', 'get-participant', '--stage-arn', 'a', '--session-id', 's', '--participant-id', '');
    expect(asked).toEqual([['GetParticipant', 'participantId', { stageArn: 'a', sessionId: 's' }]]);
  });
});

it.each([
  ['GetStage', 'arn', 'ListStages'],
  ['DeleteEncoderConfiguration', 'arn', 'ListEncoderConfigurations'],
  ['StopComposition', 'arn', 'ListCompositions'],
  ['StartParticipantReplication', 'destinationStageArn', 'ListStages'],
  ['ListCompositions', 'filterByEncoderConfigurationArn', 'ListEncoderConfigurations'],
  ['CreateStage', 'name', undefined],
] as const)('%s %s is listed by %s', (operation, member, list) => {
  expect(listOperation(operations[operation], member)).toBe(list);
});

describe('a completion script', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s calls the command', (shell) => {
    expect(completionScript([shell])).toContain(`footlights __complete ${shell}`);
  });

  it('for another shell is not there', () => {
    expect(() => completionScript(['tcsh'])).toThrow('usage: footlights completion bash|zsh|fish');
  });
});
