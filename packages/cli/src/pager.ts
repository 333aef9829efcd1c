// Output through the user's pager: AWS_PAGER, the profile's cli_pager, PAGER, then less.

import { type ChildProcess, spawn } from 'node:child_process';
import { CliError, exitCodes } from './errors.ts';
import { splitWords } from './shell-words.ts';

/** Where a command's output goes. `end` waits until the reader is done with it. */
export interface Output {
  write(text: string): void;
  end(): Promise<void>;
}

/** Starts the pager with the first text: a command that fails before shows its error alone. */
export function pagerOutput(command: string, env: NodeJS.ProcessEnv): Output {
  let pager: { child: ChildProcess; closed: Promise<void> } | undefined;
  return {
    write(text) {
      if (text === '') return;
      pager ??= start(command, env);
      pager.child.stdin?.write(text);
    },
    async end() {
      pager?.child.stdin?.end();
      await pager?.closed;
    },
  };
}

function start(command: string, env: NodeJS.ProcessEnv): { child: ChildProcess; closed: Promise<void> } {
  const [program = '', ...args] = splitWords(command);
  const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'], env: { LESS: 'FRX', ...env } });
  // Leaving the pager before the end of the text is no failure, and Ctrl-C is the pager's to handle.
  child.stdin.on('error', () => undefined);
  const ignore = (): void => undefined;
  process.removeAllListeners('SIGINT').on('SIGINT', ignore);
  const closed = new Promise<void>((resolve, reject) => {
    child.on('error', (error) => reject(notStarted(program, error)));
    child.on('close', () => resolve());
  }).finally(() => process.off('SIGINT', ignore));
  // An error is reported when the output ends, not before someone waits for it.
  closed.catch(() => undefined);
  return { child, closed };
}

function notStarted(program: string, error: NodeJS.ErrnoException): CliError {
  const reason = error.code === 'ENOENT' ? `[Errno 2] No such file or directory: '${program}'` : error.message;
  return new CliError(
    exitCodes.configuration,
    `Unable to redirect output to pager. Received the following error when opening pager:\n${reason}\n\nLearn more about configuring the output pager by running "aws help config-vars".`,
  );
}
