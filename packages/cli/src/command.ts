// `footlights ivs-realtime <operation>`: every command is derived from the model, none is written by hand.

import { type Operation, operations, shapeOf } from '@footlights/model';
import { buildInput, type CommandLine, kebab, parseCommandLine, refuseTwoInputs } from './arguments.ts';
import { type Caller, makeCaller } from './call.ts';
import { loadSettings, type Settings } from './config.ts';
import { CliError, exitCodes, usageError } from './errors.ts';
import { type Globals, parseEndpoint, requireScheme } from './globals.ts';
import { arrange } from './output/arrange.ts';
import { type OutputForm, outputForm, type Pages, type Presentation, showAnswer, showPages } from './output/index.ts';
import { formatJson } from './output/json.ts';
import type { Output } from './pager.ts';
import { pagesOf, pagingOf } from './paginate.ts';
import { parseKnown, requireChoice } from './parser.ts';
import { proxyFor } from './proxy.ts';
import type { Surroundings } from './surroundings.ts';

/** Every command's name, `get-stage`, and its operation, in alphabetical order. */
export const commands: ReadonlyMap<string, Operation> = new Map(
  Object.values(operations)
    .map((operation): [string, Operation] => [kebab(operation.name), operation])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** Runs the service's command line; what is left of argv after the global options. */
export async function runService(globals: Globals, argv: readonly string[], around: Surroundings): Promise<void> {
  const search = await compileQuery(globals.query);
  requireScheme(globals.endpointUrl);
  const { command, rest } = parseKnown(argv, [], true);
  if (command === undefined) {
    if (rest.includes('--help')) return showServiceHelp(around);
    throw usageError('the following arguments are required: operation');
  }
  if (command === 'help') return showServiceHelp(around);
  requireChoice('operation', command, [...commands.keys(), 'help']);
  const operation = commands.get(command)!;
  if (rest.includes('--help') || (rest.length === 1 && rest[0] === 'help')) {
    const help = await import('./help.ts');
    return help.showHelp(help.commandHelp(command, operation), around);
  }
  await new Command(operation, globals, search, around).run(rest);
}

async function showServiceHelp(around: Surroundings): Promise<void> {
  const help = await import('./help.ts');
  await help.showHelp(help.serviceHelp(commands), around);
}

type Search = (value: unknown) => unknown;

/** The query as a function; its own errors at run time end the command with 255. */
async function compileQuery(query: string | undefined): Promise<Search> {
  if (query === undefined) return (value) => value;
  const { compile, EvaluationError } = await import('./jmespath/index.ts');
  let search: Search;
  try {
    search = compile(query);
  } catch (error) {
    throw new CliError(exitCodes.usage, `Bad value for --query ${query}: ${(error as Error).message}`);
  }
  return (value) => {
    try {
      return search(value);
    } catch (error) {
      if (error instanceof EvaluationError) throw new CliError(exitCodes.other, error.message);
      throw error;
    }
  };
}

/** One operation, from its words to its output. */
class Command {
  readonly #operation: Operation;
  readonly #globals: Globals;
  readonly #search: Search;
  readonly #around: Surroundings;

  constructor(operation: Operation, globals: Globals, search: Search, around: Surroundings) {
    this.#operation = operation;
    this.#globals = globals;
    this.#search = search;
    this.#around = around;
  }

  async run(argv: readonly string[]): Promise<void> {
    const line = parseCommandLine(this.#operation, argv);
    refuseTwoInputs(line);
    const yaml = line.controls['cli-input-yaml'] === undefined ? undefined : await import('./yaml-input.ts');
    const input = buildInput(this.#operation, line, yaml?.parseInputYaml);
    const skeleton = line.controls['generate-cli-skeleton'];
    if (skeleton !== undefined && skeleton !== 'output') return this.#printInputSkeleton(skeleton);
    const settings = loadSettings(this.#globals, this.#around.env);
    const output = await this.#openOutput(settings);
    const write = output.write.bind(output);
    if (skeleton === 'output') await this.#showInvented(input, settings, write);
    else await this.#call(line, input, settings, write);
    await output.end();
  }

  async #printInputSkeleton(form: string): Promise<void> {
    const { inputSkeleton, yamlInputSkeleton } = await import('./skeleton.ts');
    const skeleton = form === 'yaml-input' ? yamlInputSkeleton : (of: Operation) => formatJson(inputSkeleton(of));
    this.#around.stdout(skeleton(this.#operation));
  }

  /** The invention is held to the limits of the model, as the AWS CLI does it. */
  async #showInvented(
    input: Record<string, unknown>,
    settings: Settings,
    write: (text: string) => void,
  ): Promise<void> {
    const { outputSkeleton } = await import('./skeleton.ts');
    const { validateInput, validateValue } = await import('./validation.ts');
    const invented = outputSkeleton(this.#operation);
    validateValue(shapeOf(this.#operation.output), invented);
    validateInput(this.#operation, input);
    await showAnswer(invented, this.#presentation(outputForm(settings.output)), write);
  }

  async #call(
    line: CommandLine,
    input: Record<string, unknown>,
    settings: Settings,
    write: (text: string) => void,
  ): Promise<void> {
    sayWhenLocal(settings, this.#around);
    const paging = pagingOf(this.#operation, line, input, this.#globals.paginate);
    const call = this.#caller(settings);
    if (!paging) {
      const answer = await call(input);
      return showAnswer(answer, this.#presentation(outputForm(settings.output)), write);
    }
    const presentation = this.#presentation(outputForm(settings.output));
    const pages: Pages = pagesOf(call, input, paging);
    return showPages(pages, paging.resultKey, presentation, write);
  }

  #caller(settings: Settings): Caller {
    const { stderr } = this.#around;
    const call = makeCaller(this.#operation, {
      settings,
      transport: {
        ...this.#globals,
        caBundle: settings.caBundle,
        proxy: proxyFor(parseEndpoint(settings.endpoint), this.#around.env),
      },
      warn: (text) => stderr(`${text}\n`),
      trace: this.#globals.debug ? (text) => stderr(debugLine(text)) : () => undefined,
    });
    const shape = shapeOf(this.#operation.output);
    return async (input) => arrange(shape, await call(input), settings.timestampFormat) as Record<string, unknown>;
  }

  #presentation(form: OutputForm): Presentation {
    const { terminal } = this.#around;
    const { color } = this.#globals;
    return {
      form,
      search: this.#search,
      title: this.#operation.name,
      color: color === 'on' || (color === 'auto' && terminal.stdout),
      terminalWidth: terminal.columns,
    };
  }

  async #openOutput({ pager }: Settings): Promise<Output> {
    const { terminal, stdout, env } = this.#around;
    if (terminal.stdout && pager !== '') return (await import('./pager.ts')).pagerOutput(pager, env);
    return { write: stdout, end: async () => undefined };
  }
}

const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`;

function sayWhenLocal(settings: Settings, { terminal, stderr }: Surroundings): void {
  if (settings.local && terminal.stderr) {
    stderr(`${dim(`footlights: using the server on this machine, ${settings.endpoint}`)}\n`);
  }
}

function debugLine(text: string): string {
  const time = new Date().toISOString().replace('T', ' ').replace('.', ',').replace('Z', '');
  return `${time} - MainThread - footlights - DEBUG - ${text}\n`;
}
