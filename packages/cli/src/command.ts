// `footlights ivs-realtime <operation>`: every command is derived from the model, none is written by hand.

import { type Operation, operations, shapeOf } from '@footlights/model';
import { buildInput, kebab, parseCommandLine, refuseTwoInputs } from './arguments.ts';
import { makeCaller } from './call.ts';
import { loadSettings, type Settings } from './config.ts';
import { usageError } from './errors.ts';
import { absent, type Globals } from './globals.ts';
import { arrange } from './output/arrange.ts';
import { formatJson } from './output/json.ts';
import { callAllPages, type Paging, pagingOf } from './paginate.ts';
import { parseKnown, requireChoice } from './parser.ts';

/** Every command's name, `get-stage`, and its operation, in alphabetical order. */
export const commands: ReadonlyMap<string, Operation> = new Map(
  Object.values(operations)
    .map((operation): [string, Operation] => [kebab(operation.name), operation])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** What a command may touch of the process. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Called with whole texts. */
  stdout(text: string): void;
  stderr(text: string): void;
  /** Whether stderr is a terminal. */
  terminal: boolean;
}

/** Runs the service's command line; what is left of argv after the global options. */
export async function runService(globals: Globals, argv: readonly string[], around: Surroundings): Promise<void> {
  const { command, rest } = parseKnown(argv, [], true);
  if (command === undefined) {
    if (rest.includes('--help')) return around.stdout((await import('./help.ts')).serviceHelp(commands));
    throw usageError('the following arguments are required: operation');
  }
  if (command === 'help') return around.stdout((await import('./help.ts')).serviceHelp(commands));
  requireChoice('operation', command, [...commands.keys(), 'help']);
  const operation = commands.get(command)!;
  if (rest.includes('--help') || (rest.length === 1 && rest[0] === 'help')) {
    return around.stdout((await import('./help.ts')).commandHelp(command, operation));
  }
  await runOperation(operation, globals, rest, around);
}

async function runOperation(
  operation: Operation,
  globals: Globals,
  argv: readonly string[],
  around: Surroundings,
): Promise<void> {
  const line = parseCommandLine(operation, argv);
  refuseTwoInputs(line);
  if (line.controls['cli-input-yaml'] !== undefined) {
    throw absent('--cli-input-yaml is not there yet; --cli-input-json is');
  }
  const skeleton = line.controls['generate-cli-skeleton'];
  if (skeleton !== undefined) {
    if (skeleton !== 'input') throw absent(`--generate-cli-skeleton ${skeleton} is not there yet; input is`);
    return around.stdout(formatJson((await import('./skeleton.ts')).inputSkeleton(operation)));
  }
  const input = buildInput(operation, line);
  const settings = loadSettings(globals, around.env);
  sayWhenLocal(settings, around);
  const paging = pagingOf(operation, line, input, globals.paginate);
  around.stdout(await answer(operation, input, paging, globals, settings, around));
}

const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`;

function sayWhenLocal(settings: Settings, { terminal, stderr }: Surroundings): void {
  if (settings.local && terminal)
    stderr(`${dim(`footlights: using the server on this machine, ${settings.endpoint}`)}\n`);
}

async function answer(
  operation: Operation,
  input: Record<string, unknown>,
  paging: Paging | undefined,
  globals: Globals,
  settings: Settings,
  { stderr }: Surroundings,
): Promise<string> {
  const call = makeCaller(operation, {
    settings,
    transport: { ...globals, caBundle: settings.caBundle },
    trace: globals.debug ? (text) => stderr(debugLine(text)) : () => undefined,
  });
  const { output, nextToken } = paging
    ? await callAllPages(call, input, paging)
    : { output: await call(input), nextToken: undefined };
  const shown = arrange(shapeOf(operation.output), output, settings.timestampFormat) as object;
  const whole = nextToken === undefined ? shown : { ...shown, NextToken: nextToken };
  return Object.keys(whole).length === 0 ? '' : formatJson(whole);
}

function debugLine(text: string): string {
  const time = new Date().toISOString().replace('T', ' ').replace('.', ',').replace('Z', '');
  return `${time} - MainThread - footlights - DEBUG - ${text}\n`;
}
