// Words of a command line -> options and the rest, by the rules that the AWS CLI's users know: unique prefixes are
// enough, `--x=v` is `--x v`, a word that begins with `-` is never a value (unless it is a number or holds a space).

import { usageError } from './errors.ts';

/** One option: its name with dashes, and how many words it takes. `?` is none or one, `*` any number. */
export interface OptionSpec {
  name: string;
  takes: 0 | 1 | '?' | '*';
  choices?: readonly string[];
  integer?: boolean;
  /** Never found by a prefix, and never counted when a prefix is ambiguous. */
  exact?: boolean;
}

/** One option as it was given: no words, one or several. */
export interface Occurrence<Option extends OptionSpec> {
  option: Option;
  words: string[];
}

/** A parsed line. `rest` holds what nobody knew, in order. */
export interface ParsedLine<Option extends OptionSpec> {
  command: string | undefined;
  occurrences: Occurrence<Option>[];
  rest: string[];
}

type Word<Option> =
  | { kind: 'value' }
  | { kind: 'unknown' }
  | { kind: 'option'; option: Option; inline: string | undefined };

/** Parses what `options` know. With `takesCommand` the first free word becomes the command. */
export function parseKnown<Option extends OptionSpec>(
  argv: readonly string[],
  options: readonly Option[],
  takesCommand: boolean,
): ParsedLine<Option> {
  const { texts, words } = classify(argv, options);
  const line: ParsedLine<Option> = { command: undefined, occurrences: [], rest: [] };
  for (let at = 0; at < texts.length; ) {
    const word = words[at]!;
    const text = texts[at]!;
    at += 1;
    if (word.kind === 'option') {
      const values = valuesOf(word.option, word.inline, texts, words, at);
      if (word.inline === undefined) at += values.length;
      line.occurrences.push({ option: word.option, words: checked(word.option, values) });
    } else if (word.kind === 'value' && takesCommand && line.command === undefined) {
      line.command = text;
    } else {
      line.rest.push(text);
    }
  }
  return line;
}

/** Every word is judged before any is consumed, so that an ambiguous prefix is reported first. */
function classify<Option extends OptionSpec>(argv: readonly string[], options: readonly Option[]) {
  const end = argv.indexOf('--');
  const judged = end < 0 ? argv : argv.slice(0, end);
  const plain = end < 0 ? [] : argv.slice(end + 1);
  const words = [...judged.map((word) => judge(word, options)), ...plain.map((): Word<Option> => ({ kind: 'value' }))];
  return { texts: [...judged, ...plain], words };
}

function judge<Option extends OptionSpec>(word: string, options: readonly Option[]): Word<Option> {
  if (!word.startsWith('-') || word === '-') return { kind: 'value' };
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  const inline = equals < 0 ? undefined : word.slice(equals + 1);
  const exact = options.find((option) => option.name === name);
  if (exact) return { kind: 'option', option: exact, inline };
  const near = name.startsWith('--') ? options.filter((option) => !option.exact && option.name.startsWith(name)) : [];
  if (near.length > 1) {
    throw usageError(`ambiguous option: ${word} could match ${near.map((option) => option.name).join(', ')}`);
  }
  if (near[0]) return { kind: 'option', option: near[0], inline };
  return /^-\d+$|^-\d*\.\d+$/.test(word) || word.includes(' ') ? { kind: 'value' } : { kind: 'unknown' };
}

function valuesOf<Option extends OptionSpec>(
  option: Option,
  inline: string | undefined,
  texts: readonly string[],
  words: readonly Word<Option>[],
  at: number,
): string[] {
  if (inline !== undefined) {
    if (option.takes === 0) throw usageError(`argument ${option.name}: ignored explicit argument '${inline}'`);
    return [inline];
  }
  const limit = option.takes === '*' ? Number.POSITIVE_INFINITY : option.takes === '?' ? 1 : option.takes;
  const values: string[] = [];
  while (values.length < limit && words[at + values.length]?.kind === 'value') values.push(texts[at + values.length]!);
  if (option.takes === 1 && values.length === 0) throw usageError(`argument ${option.name}: expected one argument`);
  return values;
}

function checked(option: OptionSpec, values: string[]): string[] {
  for (const value of values) {
    if (option.choices) requireChoice(option.name, value, option.choices);
    if (option.integer && !/^\s*[+-]?\d+(_\d+)*\s*$/.test(value)) {
      throw usageError(`argument ${option.name}: invalid int value: '${value}'`);
    }
  }
  return values;
}

/** Refuses a value that is not among the choices, and offers the near ones. */
export function requireChoice(argument: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  const lines = ['Invalid choice, valid choices are:\n'];
  for (let at = 0; at < choices.length; at += 2) {
    lines.push(
      choices
        .slice(at, at + 2)
        .map((choice) => choice.padEnd(40))
        .join(' | '),
    );
  }
  const near = closeMatches(value, choices);
  if (near.length > 0) {
    lines.push(`\n\nInvalid choice: '${value}', maybe you meant:\n`, ...near.map((choice) => `  * ${choice}`));
  }
  throw usageError(`argument ${argument}: ${lines.join('\n')}`);
}

const nearEnough = 0.8;

/** At most three choices whose Ratcliff/Obershelp similarity is at least 0.8, best first. */
export function closeMatches(value: string, choices: readonly string[]): string[] {
  return choices
    .map((choice) => ({ choice, ratio: (2 * matching(choice, value)) / (choice.length + value.length) }))
    .filter(({ ratio }) => ratio >= nearEnough)
    .sort((a, b) => b.ratio - a.ratio || (a.choice < b.choice ? 1 : -1))
    .slice(0, 3)
    .map(({ choice }) => choice);
}

/** Characters in common: the longest common run, then the same to its left and right. */
function matching(a: string, b: string): number {
  let length = 0;
  let inA = 0;
  let inB = 0;
  for (let i = 0; i < a.length; i += 1) {
    for (let j = 0; j < b.length; j += 1) {
      let run = 0;
      while (i + run < a.length && a[i + run] === b[j + run]) run += 1;
      if (run > length) [length, inA, inB] = [run, i, j];
    }
  }
  if (length === 0) return 0;
  return length + matching(a.slice(0, inA), b.slice(0, inB)) + matching(a.slice(inA + length), b.slice(inB + length));
}
