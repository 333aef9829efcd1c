// What can stand at the end of a command line: commands, options, and values; those that only the server knows are
// asked of it.

import { type Operation, type Shape, shapeOf } from '@footlights/model';
import { type CommandOption, commandOptions, type MemberOption } from '../arguments.ts';
import { commands } from '../command.ts';
import { globalOptions } from '../globals.ts';
import type { OptionSpec } from '../parser.ts';

/** One word that can stand next, and what it is. */
export interface Candidate {
  word: string;
  note: string;
}

/** What the server knows: the values of an operation's member, given the other words of the line. */
export type KnownValues = (
  operation: Operation,
  member: string,
  given: ReadonlyMap<string, string>,
) => Promise<Candidate[]>;

const programCommands: readonly Candidate[] = [
  { word: 'ivs-realtime', note: 'call one operation of the API' },
  { word: 'start', note: 'run the server' },
  { word: 'env', note: 'environment variables that point AWS tools to the running server' },
  { word: 'watch', note: 'show a stage as it lives' },
  { word: 'events', note: 'show what happens on the stages as it comes' },
  { word: 'completion', note: 'print a completion script for a shell' },
  { word: 'help', note: 'how to begin' },
];

/** The candidates for the last of the words, which may be empty; `words` does not hold the program itself. */
export async function candidatesFor(words: readonly string[], known: KnownValues): Promise<Candidate[]> {
  const typed = words.at(-1) ?? '';
  const all = await allCandidates(words.slice(0, -1), typed, known);
  return all.filter(({ word }) => word.startsWith(typed));
}

async function allCandidates(before: readonly string[], typed: string, known: KnownValues): Promise<Candidate[]> {
  const [command, name] = plainWords(before);
  if (command === 'watch') return stageCandidates(before, typed, known, ['--stage-arn', '--interval']);
  if (command === 'events' && name === 'tail')
    return stageCandidates(before, typed, known, ['--stage-arn', '--last', '--count']);
  const operation = command === 'ivs-realtime' && name !== undefined ? commands.get(name) : undefined;
  const own = operation ? commandOptions(operation) : [];
  const waiting = waitingOption(before, [...own, ...globalOptions]);
  if (waiting) {
    const values = await valuesOf(waiting, operation, before, known);
    // A list takes any number of words: the next option may come as well.
    return waiting.takes === '*' && typed.startsWith('-') ? optionCandidates(own, before) : values;
  }
  if (typed.startsWith('-')) return optionCandidates(own, before);
  if (command === undefined) return [...programCommands];
  if (command !== 'ivs-realtime') return ownCommandCandidates(command);
  if (name === undefined) return operationCandidates();
  return operation ? optionCandidates(own, before) : [];
}

const shells = ['bash', 'zsh', 'fish'];

const ownCommandCandidates = (command: string): Candidate[] =>
  ({ completion: shells, events: ['tail'] })[command]?.map((word) => ({ word, note: '' })) ?? [];

/** Of a command of ours that takes a stage. */
async function stageCandidates(
  before: readonly string[],
  typed: string,
  known: KnownValues,
  own: readonly string[],
): Promise<Candidate[]> {
  const getStage = commands.get('get-stage')!;
  if (before.at(-1) === '--stage-arn' && !typed.startsWith('-')) return known(getStage, 'arn', new Map());
  return [...own, '--profile', '--region', '--endpoint-url']
    .filter((word) => !before.includes(word))
    .map((word) => ({ word, note: '' }));
}

const operationCandidates = (): Candidate[] => [
  ...[...commands].map(([word, { description }]) => ({ word, note: description })),
  { word: 'help', note: 'what the operations do' },
];

/** Words that are neither options nor their values. */
function plainWords(words: readonly string[]): string[] {
  const plain: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const option = globalOptions.find(({ name }) => name === words[at]);
    if (option) at += option.takes === 1 ? 1 : 0;
    else if (words[at]!.startsWith('-')) break;
    else plain.push(words[at]!);
  }
  return plain;
}

/** The option whose value is due. */
function waitingOption(before: readonly string[], options: readonly (CommandOption | OptionSpec)[]) {
  const last = before.findLastIndex((word) => word.startsWith('--'));
  const option = last < 0 ? undefined : options.find(({ name }) => name === before[last]);
  const given = before.length - last - 1;
  if (!option || option.takes === 0 || (option.takes !== '*' && given > 0)) return undefined;
  return option;
}

function optionCandidates(own: readonly CommandOption[], before: readonly string[]): Candidate[] {
  const isRequired = (option: CommandOption): boolean => 'member' in option && option.required;
  const ordered = [...own.filter(isRequired), ...own.filter((option) => !isRequired(option))];
  return [
    ...ordered.map((option) => ({ word: option.name, note: noteOf(option) })),
    ...globalOptions.map(({ name, help }) => ({ word: name, note: help })),
  ].filter(({ word }) => !before.includes(word));
}

function noteOf(option: CommandOption): string {
  if (!('member' in option)) return '';
  const text = option.shape.description ?? '';
  return option.required ? `required: ${text}` : text;
}

async function valuesOf(
  option: CommandOption | OptionSpec,
  operation: Operation | undefined,
  before: readonly string[],
  known: KnownValues,
): Promise<Candidate[]> {
  const fixed = option.choices ?? ('member' in option ? enumOf(option.shape) : undefined);
  if (fixed) return fixed.map((word) => ({ word, note: '' }));
  if (!operation || !('member' in option)) return [];
  return known(operation, option.member, givenValues(operation, before));
}

function enumOf(shape: Shape): readonly string[] | undefined {
  if (shape.kind === 'list') return enumOf(shapeOf(shape.items));
  return shape.kind === 'string' ? shape.enum : undefined;
}

/** The members that the line gives already, by name. */
function givenValues(operation: Operation, before: readonly string[]): Map<string, string> {
  const members = commandOptions(operation).filter((option): option is MemberOption => 'member' in option);
  return new Map(
    members.flatMap(({ name, member }) => {
      const value = before[before.lastIndexOf(name) + 1];
      return before.includes(name) && value !== undefined ? [[member, value] as const] : [];
    }),
  );
}
