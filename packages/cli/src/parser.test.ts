import { describe, expect, it } from 'vitest';
import { closeMatches, type OptionSpec, parseKnown, requireChoice } from './parser.ts';

const options: OptionSpec[] = [
  { name: '--arn', takes: 1 },
  { name: '--stage-arn', takes: 1 },
  { name: '--stage-id', takes: 1 },
  { name: '--tags', takes: '*' },
  { name: '--force', takes: 0 },
  { name: '--size', takes: 1, integer: true },
  { name: '--color', takes: 1, choices: ['on', 'off'] },
  { name: '--stage-secret', takes: 0, exact: true },
];
const parse = (...argv: string[]) => {
  const { command, occurrences, rest } = parseKnown(argv, options, true);
  return { command, given: occurrences.map(({ option, words }) => [option.name, ...words]), rest };
};

describe('options', () => {
  it.each([
    ['a value of its own', ['--arn', 'x'], [['--arn', 'x']]],
    ['an inline value', ['--arn=x=y'], [['--arn', 'x=y']]],
    [
      'a unique prefix',
      ['--ar', 'x', '--siz=3'],
      [
        ['--arn', 'x'],
        ['--size', '3'],
      ],
    ],
    ['a negative number', ['--size', '-5'], [['--size', '-5']]],
    ['a dash with a space', ['--arn', '- x'], [['--arn', '- x']]],
    ['a dash inline', ['--arn=-x'], [['--arn', '-x']]],
    ['an empty value', ['--arn', ''], [['--arn', '']]],
    ['several words', ['--tags', 'a', 'b', '--force'], [['--tags', 'a', 'b'], ['--force']]],
    ['no words', ['--tags', '--force'], [['--tags'], ['--force']]],
    ['an exact name beside longer ones', ['--stage-secret'], [['--stage-secret']]],
  ])('take %s', (_, argv, given) => {
    expect(parse('cmd', ...argv)).toEqual({ command: 'cmd', given, rest: [] });
  });

  it('leave what they do not know, in order', () => {
    expect(parse('--bogus', 'cmd', '--arn', 'x', 'y', '--other=1')).toEqual({
      command: 'cmd',
      given: [['--arn', 'x']],
      rest: ['--bogus', 'y', '--other=1'],
    });
  });

  it('end at --', () => {
    expect(parse('cmd', '--', '--arn', 'x')).toEqual({ command: 'cmd', given: [], rest: ['--arn', 'x'] });
  });

  it.each([
    [['--arn'], 'argument --arn: expected one argument'],
    [['--arn', '--force'], 'argument --arn: expected one argument'],
    [['--arn', '-x'], 'argument --arn: expected one argument'],
    [['--stage', 'x'], 'ambiguous option: --stage could match --stage-arn, --stage-id'],
    [['--stage=x'], 'ambiguous option: --stage=x could match --stage-arn, --stage-id'],
    [['--force=1'], "argument --force: ignored explicit argument '1'"],
    [['--size', 'x'], "argument --size: invalid int value: 'x'"],
  ])('refuse %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(`aws: error: ${message}\n`);
  });
});

describe('choices', () => {
  it('stand two in a row, and near ones are offered', () => {
    expect(() => requireChoice('operation', 'get-stge', ['get-stage', 'get-stages', 'tag'])).toThrow(
      `argument operation: Invalid choice, valid choices are:\n\n${'get-stage'.padEnd(40)} | ${'get-stages'.padEnd(40)}\n${'tag'.padEnd(40)}\n\n\nInvalid choice: 'get-stge', maybe you meant:\n\n  * get-stage\n  * get-stages`,
    );
  });

  it('are near at a similarity of 0.8', () => {
    expect(closeMatches('abcd', ['abcdef', 'abcdefg', 'xyz'])).toEqual(['abcdef']);
  });
});
