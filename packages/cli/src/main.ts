// The `footlights` command: finds out what is asked for and loads only what that needs.

import { CliError, exitCodes, FootlightsError } from './errors.ts';
import { parseGlobals } from './globals.ts';
import { requireChoice } from './parser.ts';

const commandNames = ['ivs-realtime', 'start', 'env', 'help'] as const;

const defaultColumns = 80;

const write = {
  stdout: (text: string): void => void process.stdout.write(text),
  stderr: (text: string): void => void process.stderr.write(text),
};

async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [first] = argv;
  if (first === 'start') return startServer(argv.slice(1), env);
  if (first === 'env') return write.stdout((await import('./env.ts')).environment(argv.slice(1), env));
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') return help(first);
  const { globals, command, rest } = parseGlobals(argv);
  if (globals.version) return write.stdout(`${(await import('./version.ts')).versionLine()}\n`);
  if (command === undefined) return help(rest.includes('--help') ? 'help' : undefined);
  requireChoice('command', command, commandNames);
  if (command !== 'ivs-realtime') {
    throw new FootlightsError(exitCodes.usage, `"${command}" must be the first word: footlights ${command} …`);
  }
  const { runService } = await import('./command.ts');
  await runService(globals, rest, { env, ...write, terminal: terminal() });
}

const terminal = () => ({
  stdout: process.stdout.isTTY ?? false,
  stderr: process.stderr.isTTY ?? false,
  columns: process.stdout.columns ?? defaultColumns,
});

/** Without a word the same text is an error, on stderr. */
async function help(asked: string | undefined): Promise<void> {
  const text = (await import('./help.ts')).programHelp();
  if (asked !== undefined) return write.stdout(text);
  write.stderr(text);
  process.exitCode = exitCodes.usage;
}

/** The server is a bundle of its own beside this one: no other command reads it. */
async function startServer(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const bundle = './server.mjs';
  const server: { start(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> } = await import(bundle);
  await server.start(argv, env);
}

function fail(error: unknown): void {
  const known =
    error instanceof CliError ? error : new CliError(exitCodes.other, String((error as Error)?.message ?? error));
  write.stderr(known.report());
  process.exitCode = known.exitCode;
}

/** A reader that went away, `| head`, is no failure. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
}

function interrupt(): void {
  write.stdout('\n');
  process.exit(exitCodes.interrupted);
}

process.stdout.on('error', endQuietly);
if (process.argv[2] !== 'start') process.once('SIGINT', interrupt);
run(process.argv.slice(2), process.env).catch(fail);
