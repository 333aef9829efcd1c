// Aliases of ~/.aws/cli/alias: `[toplevel]` for whole commands, `[command ivs-realtime]` for operations. A value that
// begins with `!` is a shell command; any other stands for words of the command line.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CliError, exitCodes } from './errors.ts';
import { type Globals, mergeGlobals, parseGlobals } from './globals.ts';
import { parseKnown } from './parser.ts';
import { quoteWord, splitWords } from './shell-words.ts';

type Aliases = ReadonlyMap<string, string>;

/** The aliases of whole commands and of the service's operations. */
export interface AliasFile {
  commands: Aliases;
  operations: Aliases;
}

/** A command line after its global options were read. */
export interface Line {
  globals: Globals;
  command: string | undefined;
  rest: string[];
}

/** A shell command that an alias stands for. */
export interface ShellCommand {
  shell: string;
}

const service = 'ivs-realtime';

/** Reads the user's aliases; none when there is no such file. */
export function readAliases(env: NodeJS.ProcessEnv): AliasFile {
  let text: string;
  try {
    text = readFileSync(join(env.HOME || homedir(), '.aws/cli/alias'), 'utf8');
  } catch {
    return { commands: new Map(), operations: new Map() };
  }
  const sections = parseAliases(text);
  const section = (name: string): Aliases => sections.get(name) ?? new Map();
  return { commands: section('toplevel'), operations: section(`command ${service}`) };
}

/** Sections of `name = value`; indented lines go on with the value above. */
export function parseAliases(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let name = '';
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[\s*(.*?)\s*\]/.exec(line)?.[1]?.replace(/\s+/g, ' ');
    const pair = /^([^\s=:][^=:]*?)\s*[=:]\s*(.*)$/.exec(line);
    if (/^\s*([#;].*)?$/.test(line)) continue;
    if (header !== undefined) {
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
    } else if (/^\s/.test(line) && section?.has(name)) {
      section.set(name, `${section.get(name)}\n${line.trim()}`.trimStart());
    } else if (pair && section) {
      name = pair[1]!;
      section.set(name, pair[2]!.trim());
    }
  }
  return sections;
}

const deepest = 16;

/** Resolves the aliases of a line; what comes back is a line of known words, or a command for the shell. */
export function expandAliases(line: Line, aliases: AliasFile): Line | ShellCommand {
  let current = line;
  for (let depth = 0; ; depth += 1) {
    if (depth > deepest) throw new CliError(exitCodes.other, `Aliases stand for each other: "${line.command}"`);
    const { command } = current;
    const value = command === undefined ? undefined : aliases.commands.get(command);
    if (command === undefined || value === undefined) return expandOperation(current, aliases.operations);
    if (value.startsWith('!')) return shellCommand(value, current.rest);
    const expanded = expand(command, value, current);
    // An alias that is named like the command that it calls means that command.
    if (expanded.command === command) return expandOperation(expanded, aliases.operations);
    current = expanded;
  }
}

function expandOperation(line: Line, aliases: Aliases): Line | ShellCommand {
  if (line.command !== service || aliases.size === 0) return line;
  const { command: operation, rest } = parseKnown(line.rest, [], true);
  const value = operation === undefined ? undefined : aliases.get(operation);
  if (operation === undefined || value === undefined) return line;
  if (value.startsWith('!')) return shellCommand(value, rest);
  const { globals, command, rest: words } = expand(operation, value, { ...line, rest });
  return { globals, command: service, rest: [...(command === undefined ? [] : [command]), ...words] };
}

const shellCommand = (value: string, words: readonly string[]): ShellCommand => ({
  shell: [value.slice(1), ...words.map(quoteWord)].join(' '),
});

const notInAliases: readonly string[] = ['--debug', '--profile'];

/** The alias's words before those of the line; its global options win. */
function expand(name: string, value: string, line: Line): Line {
  const { given, command, rest } = parseGlobals(splitWords(value));
  const stranger = notInAliases.find((option) => given.has(option));
  if (stranger !== undefined) {
    throw new CliError(
      exitCodes.other,
      `Global parameter "${stranger}" detected in alias "${name}" which is not support in subcommand aliases.`,
    );
  }
  return { globals: mergeGlobals(line.globals, given), command, rest: [...rest, ...line.rest] };
}

/** Runs a shell command of an alias and returns its exit code. */
export async function runShell({ shell }: ShellCommand): Promise<number> {
  const { spawnSync } = await import('node:child_process');
  const { status, signal } = spawnSync(shell, { shell: true, stdio: 'inherit' });
  return status ?? (signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.other);
}
