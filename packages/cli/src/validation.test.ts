import { type Operation, operations } from '@footlights/model';
import { describe, expect, it } from 'vitest';
import { validateInput } from './validation.ts';

describe('validation before the call', () => {
  it.each<[Operation, Record<string, unknown>, string[]]>([
    [operations.GetStage, {}, ['Missing required parameter in input: "arn"']],
    [
      operations.GetStage,
      { Arn: 'x' },
      ['Missing required parameter in input: "arn"', 'Unknown parameter in input: "Arn", must be one of: arn'],
    ],
    [
      operations.CreateStage,
      { name: 5 },
      ["Invalid type for parameter name, value: 5, type: <class 'int'>, valid types: <class 'str'>"],
    ],
    [
      operations.CreateStage,
      { participantTokenConfigurations: [{ duration: '5' }, 'x'] },
      [
        "Invalid type for parameter participantTokenConfigurations[0].duration, value: 5, type: <class 'str'>, valid types: <class 'int'>",
        "Invalid type for parameter participantTokenConfigurations[1], value: x, type: <class 'str'>, valid types: <class 'dict'>",
      ],
    ],
    [
      operations.CreateStage,
      { tags: { '': 'x', a: null } },
      [
        'Invalid length for parameter tags (key: ), value: 0, valid min length: 1',
        "Invalid type for parameter tags.a, value: None, type: <class 'NoneType'>, valid types: <class 'str'>",
      ],
    ],
    [
      operations.CreateStage,
      { tags: ['a', true] },
      ["Invalid type for parameter tags, value: ['a', True], type: <class 'list'>, valid types: <class 'dict'>"],
    ],
    [
      operations.ListStages,
      { maxResults: 0 },
      ['Invalid value for parameter maxResults, value: 0, valid min value: 1'],
    ],
    [
      operations.ListStageSessions,
      { stageArn: '' },
      ['Invalid length for parameter stageArn, value: 0, valid min length: 1'],
    ],
  ])('lists every finding: %#', (operation, input, findings) => {
    expect(() => validateInput(operation, input)).toThrow(`Parameter validation failed:\n${findings.join('\n')}`);
  });

  it('leaves upper limits, patterns and fixed values to the service', () => {
    const input = {
      participantTokenConfigurations: [{ duration: 99999, capabilities: ['BOGUS'] }],
      name: '?'.repeat(999),
    };
    expect(() => validateInput(operations.CreateStage, input)).not.toThrow();
  });
});
