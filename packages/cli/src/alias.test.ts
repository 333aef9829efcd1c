import { describe, expect, it } from 'vitest';
import { type AliasFile, expandAliases, parseAliases, runShell } from './alias.ts';
import { parseGlobals } from './globals.ts';

const file = (text: string): AliasFile => {
  const sections = parseAliases(text);
  return {
    commands: sections.get('toplevel') ?? new Map(),
    operations: sections.get('command ivs-realtime') ?? new Map(),
  };
};

const expand = (text: string, ...argv: string[]) => expandAliases(parseGlobals(argv), file(text));

describe('an alias', () => {
  it('stands for words and options', () => {
    const line = expand('[toplevel]\nname = ivs-realtime get-stage --query stage.name\n', 'name', '--arn', 'a b');
    expect(line).toMatchObject({
      command: 'ivs-realtime',
      rest: ['get-stage', '--arn', 'a b'],
      globals: { query: 'stage.name' },
    });
  });

  it('of an operation stands behind the service', () => {
    const line = expand(
      '[command ivs-realtime]\nshow = get-stage --output text\n',
      'ivs-realtime',
      'show',
      '--arn',
      'a',
    );
    expect(line).toMatchObject({
      command: 'ivs-realtime',
      rest: ['get-stage', '--arn', 'a'],
      globals: { output: 'text' },
    });
  });

  it('may stand for another, and for the command of its own name', () => {
    const text = '[toplevel]\na = b --region eu-west-1\nb = ivs-realtime\nivs-realtime = ivs-realtime --output yaml\n';
    expect(expand(text, 'a', 'list-stages')).toMatchObject({
      command: 'ivs-realtime',
      rest: ['list-stages'],
      globals: { region: 'eu-west-1', output: 'yaml' },
    });
  });

  it('with an exclamation mark is a shell command, over several lines', async () => {
    const text = '[toplevel]\nfails =\n  !f() {\n    exit "$1"\n  }; f\n';
    const line = expand(text, 'fails', '3');
    expect(line).toEqual({ shell: 'f() {\nexit "$1"\n}; f 3' });
    expect(await runShell(line as { shell: string })).toBe(3);
  });

  it.each([
    ['[toplevel]\na = b\nb = a\n', 'Aliases stand for each other: "a"'],
    ['[toplevel]\na = ivs-realtime --profile x\n', 'Global parameter "--profile" detected in alias "a"'],
  ])('is refused: %j', (text, message) => {
    expect(() => expand(text, 'a')).toThrow(message);
  });

  it('that is not there changes nothing', () => {
    const line = parseGlobals(['ivs-realtime', 'get-stage']);
    expect(expandAliases(line, file('# nothing\n'))).toBe(line);
  });
});
