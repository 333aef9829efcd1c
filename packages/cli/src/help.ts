// Help pages, generated from the model and the option tables.

import {
  examples,
  type Operation,
  type OperationName,
  type Shape,
  type StructureShape,
  shapeOf,
  variables,
} from '@footlights/model';
import { type CommandOption, commandOptions } from './arguments.ts';
import { globalOptions } from './globals.ts';
import type { Surroundings } from './surroundings.ts';

const width = 96;

/** Prints a page; on a terminal through the pager. */
export async function showHelp(text: string, { env, terminal, stdout }: Surroundings): Promise<void> {
  const pager = env.MANPAGER || env.PAGER || 'less';
  if (!terminal.stdout) return stdout(text);
  const { pagerOutput } = await import('./pager.ts');
  const output = pagerOutput(pager, env);
  output.write(text);
  await output.end();
}

/** `footlights help`. */
export function programHelp(): string {
  return `footlights: Amazon IVS Real-Time Streaming that you run yourself

usage: footlights <command> [parameters]

commands
  start                      run the server; "footlights start --help" lists its options
  env                        print the environment variables that point AWS tools to the running server:
                             eval "$(footlights env)"
  ivs-realtime <operation>   call one operation of the API, as "aws ivs-realtime" does
  watch --stage-arn <arn>    show who is on a stage, who publishes, what arrives and what is lost
  events tail                show what happens on the stages as it comes: publishers, errors, recordings
  completion <shell>         print a completion script for bash, zsh or fish:
                             eval "$(footlights completion bash)"
  help                       print this text; also "footlights ivs-realtime help"
                             and "footlights ivs-realtime <operation> help"

options
  --version                  print the version
  --cli-auto-prompt          prompt for the command and its options, with completion

The first steps
  footlights start
  footlights ivs-realtime create-stage --name demo
  footlights ivs-realtime create-participant-token --stage-arn <arn> --user-id alice
  footlights watch --stage-arn <arn>
`;
}

/** `footlights ivs-realtime help`. */
export function serviceHelp(commands: ReadonlyMap<string, Operation>): string {
  const column = Math.max(...[...commands.keys()].map((name) => name.length)) + 2;
  const rows = [...commands].map(([name, { description }]) => hang(name.padEnd(column), description ?? '', 2));
  return `footlights ivs-realtime: Amazon IVS Real-Time Streaming

usage: footlights ivs-realtime <operation> [parameters]

operations
${rows.join('\n')}

"footlights ivs-realtime <operation> help" explains one of them.
`;
}

/** `footlights ivs-realtime get-stage help`. */
export function commandHelp(name: string, operation: Operation): string {
  const options = commandOptions(operation).filter((option) => !isNegative(option));
  const output = structureLines(shapeOf(operation.output), 2);
  return [
    hang(`${name}: `, operation.description, 0),
    '',
    'usage',
    `  footlights ivs-realtime ${name}`,
    ...options.map((option) => `      ${synopsis(option)}`),
    '      [global options]',
    '',
    'options',
    ...options.flatMap((option) => optionLines(option)),
    '',
    ...exampleLines(operation.name),
    '',
    'output',
    ...(output.length > 0 ? output : ['  None']),
    '',
    'global options',
    ...globalOptions.flatMap(({ name: option, takes, help }) => [
      `  ${option}${takes === 0 ? '' : ' <value>'}`,
      hang('', help, 6),
    ]),
    '',
  ].join('\n');
}

/** An example that runs as it stands, after the commands that make what its variables name. */
function exampleLines(name: OperationName): string[] {
  const text = shellText(examples[name]);
  return ['example', ...definitions(text, new Set()), `  ${text}`];
}

const shellText = (words: readonly string[]): string =>
  ['footlights', ...words].map((word) => (/^[\w./:=@,$-]+$/.test(word) ? word : `"${word}"`)).join(' ');

function definitions(text: string, defined: Set<string>): string[] {
  const used = Object.entries(variables).filter(([name]) => new RegExp(`\\$${name}\\b`).test(text));
  return used.flatMap(([name, { from, member }]) => {
    if (defined.has(name)) return [];
    defined.add(name);
    const source = shellText(examples[from]);
    return [...definitions(source, defined), `  ${name}=$(${source} --query ${member} --output text)`];
  });
}

const isNegative = (option: CommandOption): boolean => 'member' in option && option.flag === false;

function synopsis(option: CommandOption): string {
  const value = { 0: '', 1: ' <value>', '?': ' [<value>]', '*': ' <value> …' }[option.takes];
  const both = 'member' in option && option.flag ? ` | ${option.name.replace('--', '--no-')}` : '';
  const text = `${option.name}${both}${value}`;
  return 'member' in option && option.required ? text : `[${text}]`;
}

const controlHelp: Record<string, string> = {
  'cli-input-json':
    'The input as JSON, or file://path of it, in the form that --generate-cli-skeleton prints. Options given beside it win.',
  'cli-input-yaml': 'The same as YAML, in the form that --generate-cli-skeleton yaml-input prints.',
  'generate-cli-skeleton':
    'Send nothing; print an input with every member as JSON (input) or YAML (yaml-input), or an invented output (output).',
  'starting-token': 'Go on where an earlier command stopped: the NextToken that it printed.',
  'page-size': 'How many items to ask for with each call.',
  'max-items': 'How many items to print at most.',
};

function optionLines(option: CommandOption): string[] {
  if ('control' in option) return [`  ${synopsis(option)}`, hang('', controlHelp[option.control] ?? '', 6)];
  const { shape, required } = option;
  const example = shorthandExample(shape);
  return [
    `  ${option.name} (${kindName(shape)}${required ? ', required' : ''})`,
    ...(shape.description ? [hang('', shape.description, 6)] : []),
    ...limitLines(shape),
    ...structureLines(shape, 6),
    ...(example ? [`      Shorthand: ${option.name} ${example}`] : []),
  ];
}

const kindName = (shape: Shape): string =>
  shape.kind === 'list' ? `list of ${shapeOf(shape.items).kind}` : shape.kind;

function limitLines(shape: Shape): string[] {
  const element = shape.kind === 'list' ? shapeOf(shape.items) : shape;
  const values = element.kind === 'string' && element.enum ? [`      One of: ${element.enum.join(', ')}`] : [];
  return [...values, ...(limits(shape) ? [`      Limits: ${limits(shape)}`] : [])];
}

function limits(shape: Shape): string {
  switch (shape.kind) {
    case 'string':
      return range(shape.minLength, shape.maxLength, ' characters');
    case 'integer':
    case 'float':
      return range(shape.minimum, shape.maximum, '');
    case 'list':
      return range(shape.minItems, shape.maxItems, ' elements');
    case 'map':
      return range(shape.minProperties, shape.maxProperties, ' entries');
    default:
      return '';
  }
}

function range(minimum: number | undefined, maximum: number | undefined, unit: string): string {
  if (minimum === undefined && maximum === undefined) return '';
  if (maximum === undefined) return `at least ${minimum}${unit}`;
  return minimum === undefined ? `at most ${maximum}${unit}` : `${minimum} to ${maximum}${unit}`;
}

/** The members below a shape, one line each, indented by their depth. */
function structureLines(shape: Shape, indent: number): string[] {
  if (shape.kind === 'list') return structureLines(shapeOf(shape.items), indent);
  if (shape.kind !== 'structure') return [];
  return Object.entries(shape.properties).flatMap(([name, schema]) => {
    const member = shapeOf(schema);
    const required = isRequired(shape, name) ? ', required' : '';
    return [
      hang(`${name} (${kindName(member)}${required})  `, member.description ?? '', indent),
      ...structureLines(member, indent + 2),
    ];
  });
}

const isRequired = (shape: StructureShape, name: string): boolean => shape.required?.includes(name) ?? false;

function shorthandExample(shape: Shape): string | undefined {
  if (shape.kind === 'list') {
    const element = shorthandExample(shapeOf(shape.items));
    return element && `${element} …`;
  }
  if (shape.kind === 'map') return 'key=value,key=value';
  return shape.kind === 'structure' ? memberExamples(shape) : undefined;
}

const memberExamples = (shape: StructureShape): string =>
  Object.entries(shape.properties)
    .map(([name, schema]) => `${name}=${valueExample(shapeOf(schema))}`)
    .join(',');

function valueExample(shape: Shape): string {
  switch (shape.kind) {
    case 'structure':
      return `{${memberExamples(shape)}}`;
    case 'map':
      return '{key=value}';
    case 'list':
      return `[${valueExample(shapeOf(shape.items))}]`;
    default:
      return shape.kind;
  }
}

/** Wraps a text behind a label; further lines stand four deeper. */
function hang(label: string, text: string, indent: number): string {
  const lines: string[] = [];
  let line = ' '.repeat(indent) + label;
  let empty = true;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (!empty && line.length + word.length + 1 > width) {
      lines.push(line);
      line = ' '.repeat(indent + (label ? 4 : 0)) + word;
    } else {
      line += (empty ? '' : ' ') + word;
    }
    empty = false;
  }
  return [...lines, line].map((text) => text.trimEnd()).join('\n');
}
