// The options of one operation, derived from its input shape, and the way from words to that input.

import { type Operation, type Shape, type StructureShape, shapeOf } from '@footlights/model';
import { CliError, exitCodes, parameterError, unknownOptions, usageError } from './errors.ts';
import { readParamFile } from './paramfile.ts';
import { type Occurrence, type OptionSpec, parseKnown } from './parser.ts';
import { parseFloatingPoint, parseInteger, typeName } from './python.ts';
import { parsePythonJson } from './python-json.ts';
import { parseShorthand, ShorthandError } from './shorthand.ts';

/** An option that fills one member of the input; a boolean member has two. */
export interface MemberOption extends OptionSpec {
  member: string;
  shape: Shape;
  required: boolean;
  /** What a boolean option stands for. */
  flag?: boolean;
}

/** An option about the command itself: input files, skeletons, paging. */
export interface ControlOption extends OptionSpec {
  control: 'cli-input-json' | 'cli-input-yaml' | 'generate-cli-skeleton' | 'starting-token' | 'page-size' | 'max-items';
}

export type CommandOption = MemberOption | ControlOption;

/** What the words of a command said. Values are not parsed yet. */
export interface CommandLine {
  members: Occurrence<MemberOption>[];
  controls: Partial<Record<ControlOption['control'], string>>;
}

/** `StageArn` or `stageArn` -> `stage-arn`. */
export const kebab = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();

/** The options of an operation, in the order of the model's members. */
export function commandOptions(operation: Operation): CommandOption[] {
  const input = shapeOf(operation.input) as StructureShape;
  const members = Object.entries(input.properties).flatMap(([member, schema]) =>
    memberOptions(member, shapeOf(schema), input.required?.includes(member) ?? false),
  );
  const paging: ControlOption[] = [
    { name: '--starting-token', takes: 1, control: 'starting-token' },
    { name: '--page-size', takes: 1, integer: true, control: 'page-size' },
    { name: '--max-items', takes: 1, integer: true, control: 'max-items' },
  ];
  return [
    ...members,
    { name: '--cli-input-json', takes: 1, control: 'cli-input-json' },
    { name: '--cli-input-yaml', takes: 1, control: 'cli-input-yaml' },
    ...(operation.paginator ? paging : []),
    {
      name: '--generate-cli-skeleton',
      takes: '?',
      choices: ['input', 'output', 'yaml-input'],
      control: 'generate-cli-skeleton',
    },
  ];
}

function memberOptions(member: string, shape: Shape, required: boolean): MemberOption[] {
  const name = `--${kebab(member)}`;
  const common = { member, shape, required };
  if (shape.kind !== 'boolean') return [{ name, takes: shape.kind === 'list' ? '*' : 1, ...common }];
  return [
    { name, takes: 0, flag: true, ...common },
    { name: `--no-${kebab(member)}`, takes: 0, flag: false, ...common },
  ];
}

/** Reads the words of a command; throws when one is missing, ambiguous or unknown. */
export function parseCommandLine(operation: Operation, argv: readonly string[]): CommandLine {
  const options = commandOptions(operation);
  const { occurrences, rest } = parseKnown(argv, options, false);
  const line: CommandLine = { members: [], controls: {} };
  for (const { option, words } of occurrences) {
    if ('member' in option) line.members.push({ option, words });
    else line.controls[option.control] = words[0] ?? 'input';
  }
  requireMembers(options, line);
  if (rest.length > 0) throw unknownOptions(inReportedOrder(rest));
  return line;
}

/** The first word that is no option comes last: it stands where `help` might. */
function inReportedOrder(words: readonly string[]): string[] {
  const plain = words.findIndex((word) => !word.startsWith('-'));
  return plain < 0 ? [...words] : [...words.toSpliced(plain, 1), words[plain]!];
}

function requireMembers(options: readonly CommandOption[], { members, controls }: CommandLine): void {
  const skeleton = controls['generate-cli-skeleton'];
  const inputIsElsewhere = controls['cli-input-json'] ?? controls['cli-input-yaml'];
  if (inputIsElsewhere !== undefined || (skeleton !== undefined && skeleton !== 'output')) return;
  const given = new Set(members.map(({ option }) => option.member));
  const missing = options.filter((option) => 'member' in option && option.required && !given.has(option.member));
  if (missing.length > 0) {
    throw usageError(`the following arguments are required: ${missing.map(({ name }) => name).join(', ')}`);
  }
}

/**
 * The request's input: explicit options first, in the model's order, then what the input document adds. `parseYaml` is
 * needed when `--cli-input-yaml` is given.
 */
export function buildInput(
  operation: Operation,
  line: CommandLine,
  parseYaml?: (text: string) => unknown,
): Record<string, unknown> {
  const last = new Map(line.members.map((occurrence) => [occurrence.option.member, occurrence]));
  const members = Object.keys(operation.input.properties).flatMap((member) => {
    const occurrence = last.get(member);
    return occurrence ? [[member, readValue(occurrence)] as const] : [];
  });
  const document = readInputDocument(line, parseYaml);
  return { ...Object.fromEntries(members), ...without(document, last) };
}

const without = (input: object, keys: ReadonlyMap<string, unknown>): object =>
  Object.fromEntries(Object.entries(input).filter(([key]) => !keys.has(key)));

function readInputDocument({ controls }: CommandLine, parseYaml?: (text: string) => unknown): object {
  const json = controls['cli-input-json'];
  const yaml = controls['cli-input-yaml'];
  if (json !== undefined) return requireMap('--cli-input-json', readInputJson(json));
  if (yaml === undefined || !parseYaml) return {};
  return requireMap('--cli-input-yaml', parseYaml(String(readParamFile('--cli-input-yaml', yaml))));
}

function readInputJson(value: string): unknown {
  const text = String(readParamFile('--cli-input-json', value));
  try {
    return parsePythonJson(text);
  } catch {
    throw parameterError('cli-input-json', 'Invalid JSON received.');
  }
}

function requireMap(option: string, input: unknown): object {
  const name = typeName(input);
  if (name === "<class 'dict'>") return input as object;
  throw parameterError(option, `Invalid type: expecting map, received ${name}`);
}

function readValue({ option, words }: Occurrence<MemberOption>): unknown {
  const { name, shape } = option;
  switch (shape.kind) {
    case 'boolean':
      return option.flag;
    case 'list':
      return readList(name, shapeOf(shape.items), words);
    default: {
      const text = readParamFile(name, words[0] ?? '');
      return typeof text === 'string' ? readWord(name, shape, text) : text;
    }
  }
}

/** Several words are one element each, unless the one word is a JSON list. */
function readList(name: string, element: Shape, words: readonly string[]): unknown {
  const texts = words.length === 1 ? [String(readParamFile(name, words[0]!))] : words;
  if (texts.length === 1 && texts[0]!.trim().startsWith('[')) return readJson(name, texts[0]!);
  if (element.kind !== 'structure' && element.kind !== 'map') return texts.map((text) => scalar(element, text));
  const read = looksLikeJson(texts[0] ?? '')
    ? readJson
    : (_: string, text: string) => readShorthand(name, element, text);
  return texts.map((text) => read(name, text));
}

function readWord(name: string, shape: Shape, text: string): unknown {
  if (shape.kind !== 'structure' && shape.kind !== 'map') return scalar(shape, text);
  if (!looksLikeJson(text)) return readShorthand(name, shape, text);
  if (text.trimStart().startsWith('{')) return readJson(name, text);
  throw parameterError(name, `Invalid JSON:\n${text}`);
}

const looksLikeJson = (text: string): boolean => /^\s*[[{]/.test(text);

function readJson(name: string, text: string): unknown {
  try {
    return parsePythonJson(text);
  } catch (error) {
    throw parameterError(name, `Invalid JSON: ${(error as Error).message}\nJSON received: ${text}`);
  }
}

function readShorthand(name: string, shape: Shape, text: string): unknown {
  try {
    return typed(shape, parseShorthand(text));
  } catch (error) {
    if (error instanceof ShorthandError) throw parameterError(name, error.message);
    throw error;
  }
}

/** Gives the model's types to what shorthand said; what does not fit is left for the validation to name. */
function typed(shape: Shape, value: unknown): unknown {
  if (typeof value === 'string') return shape.kind === 'list' ? [value] : scalar(shape, value);
  if (Array.isArray(value)) {
    return shape.kind === 'list' ? value.map((item) => typed(shapeOf(shape.items), item)) : value;
  }
  const memberShape = memberShapes(shape);
  return Object.fromEntries(
    Object.entries(value as object).map(([key, item]) => {
      const member = memberShape(key);
      return [key, member ? typed(member, item) : item];
    }),
  );
}

function memberShapes(shape: Shape): (key: string) => Shape | undefined {
  if (shape.kind === 'map') return () => shapeOf(shape.additionalProperties);
  if (shape.kind !== 'structure') return () => undefined;
  return (key) => (Object.hasOwn(shape.properties, key) ? shapeOf(shape.properties[key]!) : undefined);
}

function scalar(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case 'integer':
      return parseInteger(text);
    case 'float':
      return parseFloatingPoint(text);
    case 'boolean':
      return { true: true, false: false }[text.toLowerCase()] ?? text;
    default:
      return text;
  }
}

/** `--cli-input-json` and `--cli-input-yaml` exclude each other. */
export function refuseTwoInputs({ controls }: CommandLine): void {
  if (controls['cli-input-json'] === undefined || controls['cli-input-yaml'] === undefined) return;
  throw new CliError(exitCodes.usage, 'Only one --cli-input- parameter may be specified.');
}
