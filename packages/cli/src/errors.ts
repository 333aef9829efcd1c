// What a command says when it fails, and the exit code it leaves: the contract that scripts written for `aws` rely on.

/** The exit codes of the AWS CLI v2, and 1 for the commands that are ours alone. */
export const exitCodes = {
  ok: 0,
  own: 1,
  interrupted: 130,
  usage: 252,
  configuration: 253,
  service: 254,
  other: 255,
} as const;

/** A failure with its exit code. The message goes to stderr between two newlines, as the AWS CLI writes it. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }

  /** The bytes for stderr. */
  report(): string {
    return `\n${this.message}\n`;
  }
}

// Scripts and log filters written for the AWS CLI match these lines, so they name the program that they were written for.
const program = 'aws';

const usage = [
  `usage: ${program} [options] <command> <subcommand> [<subcommand> ...] [parameters]`,
  'To see help text, you can run:',
  '',
  `  ${program} help`,
  `  ${program} <command> help`,
  `  ${program} <command> <subcommand> help`,
].join('\n');

/** A command line that does not parse: the usage block, then what is wrong. */
export function usageError(message: string): CliError {
  return new CliError(exitCodes.usage, `${usage}\n\n${program}: error: ${message}\n`);
}

/** Words that no parser knew. */
export function unknownOptions(words: readonly string[]): CliError {
  return new CliError(exitCodes.usage, `${usage}\n\nUnknown options: ${words.join(', ')}\n`);
}

/** A parameter whose value cannot be read; `option` as the user typed it, `--tags`. */
export function parameterError(option: string, message: string): CliError {
  return new CliError(exitCodes.usage, `Error parsing parameter '${option}': ${message}`);
}

/** One line in our own voice: for what the AWS CLI has no words for. */
export class FootlightsError extends CliError {
  override report(): string {
    return `footlights: ${this.message}\n`;
  }
}
