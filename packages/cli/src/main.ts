// The `footlights` command: finds out what is asked for and loads only what that needs.

import { CliError, exitCodes, FootlightsError, usageError } from './errors.ts';
import { parseGlobals } from './globals.ts';
import { requireChoice } from './parser.ts';
import { promptMode } from './prompt-mode.ts';
import type { Surroundings } from './surroundings.ts';

/** The commands that are ours alone: each reads its own words, and loads its own code. */
const ownCommands: Record<string, (argv: readonly string[], around: Surroundings) => Promise<void>> = {
  start: async (argv, { env }) => (await import('./start-server.ts')).startServer(argv, env),
  env: async (argv, { env, stdout }) => stdout((await import('./env.ts')).environment(argv, env)),
  watch: async (argv, around) => (await import('./watch/index.ts')).watch(argv, around),
  events: async (argv, around) => (await import('./events/index.ts')).events(argv, around),
  completion: async (argv, { stdout }) => stdout((await import('./completion/scripts.ts')).completionScript(argv)),
  __complete: async (argv, around) => (await import('./completion/index.ts')).complete(argv, around),
};

async function run(argv: readonly string[], around: Surroundings): Promise<void> {
  const [first = '', ...rest] = argv;
  const own = Object.hasOwn(ownCommands, first) ? ownCommands[first] : undefined;
  if (own) return own(rest, around);
  const mode = promptMode(argv, around.env);
  if (mode === 'off') return runLine(argv, around);
  const prompt = async () => (await import('./prompt/index.ts')).promptForLine(argv, around);
  if (mode === 'on') return runLine(await prompt(), around);
  try {
    await runLine(argv, around);
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode !== exitCodes.usage) throw error;
    await runLine(await prompt(), around);
  }
}

async function runLine(argv: readonly string[], around: Surroundings): Promise<void> {
  const parsed = parseGlobals(argv);
  if (parsed.globals.version) return around.stdout(`${(await import('./version.ts')).versionLine()}\n`);
  const { command = '', rest } = parsed;
  if (command === 'help' || ['--help', '-h'].includes(command || (rest[0] ?? ''))) return programHelp(around);
  if (parsed.command === undefined) return nothingAsked(around);
  const { expandAliases, readAliases, runShell } = await import('./alias.ts');
  const aliases = readAliases(around.env);
  const line = expandAliases(parsed, aliases);
  if ('shell' in line) {
    process.exitCode = await runShell(line);
    return;
  }
  requireChoice('command', line.command ?? '', [
    'ivs-realtime',
    ...Object.keys(ownCommands).filter(isPublic),
    'help',
    ...aliases.commands.keys(),
  ]);
  if (line.command !== 'ivs-realtime') {
    throw new FootlightsError(
      exitCodes.usage,
      `"${line.command}" must be the first word: footlights ${line.command} …`,
    );
  }
  await (await import('./command.ts')).runService(line.globals, line.rest, around);
}

const isPublic = (name: string): boolean => !name.startsWith('__');

async function programHelp(around: Surroundings): Promise<void> {
  const help = await import('./help.ts');
  await help.showHelp(help.programHelp(), around);
}

/** People see how to begin; scripts the error that they know. */
async function nothingAsked({ terminal, stderr }: Surroundings): Promise<void> {
  if (!terminal.stderr) throw usageError('the following arguments are required: command');
  stderr((await import('./help.ts')).programHelp());
  process.exitCode = exitCodes.usage;
}

const defaultColumns = 80;

const surroundings: Surroundings = {
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  terminal: {
    stdin: process.stdin.isTTY ?? false,
    stdout: process.stdout.isTTY ?? false,
    stderr: process.stderr.isTTY ?? false,
    columns: process.stdout.columns ?? defaultColumns,
  },
};

function fail(error: unknown): void {
  const known =
    error instanceof CliError ? error : new CliError(exitCodes.other, String((error as Error)?.message ?? error));
  surroundings.stderr(known.report());
  process.exitCode = known.exitCode;
}

/** A reader that went away, `| head`, is no failure. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
}

function interrupt(): void {
  surroundings.stdout('\n');
  process.exit(exitCodes.interrupted);
}

process.stdout.on('error', endQuietly);
process.stderr.on('error', endQuietly);
if (process.argv[2] !== 'start') process.once('SIGINT', interrupt);
run(process.argv.slice(2), surroundings).catch(fail);
