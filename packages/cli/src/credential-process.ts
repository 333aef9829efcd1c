// A profile's `credential_process`: a program that prints a key pair as JSON.

import { spawnSync } from 'node:child_process';
import type { Credentials } from '@footlights/model';
import { CliError, exitCodes } from './errors.ts';
import { splitWords } from './shell-words.ts';

/** Runs the command, without a shell, and reads the keys that it prints. */
export function fromProcess(command: string): Credentials {
  const [program = '', ...args] = splitWords(command);
  const done = spawnSync(program, args, { encoding: 'utf8', stdio: ['inherit', 'pipe', 'pipe'] });
  if (done.error || done.status !== 0) throw failure(done.error?.message ?? done.stderr);
  const answer = parse(done.stdout);
  if (answer.Version !== 1) {
    throw failure(`Version ${String(answer.Version)} not supported, supported Version: 1`);
  }
  return {
    accessKeyId: member(answer, 'AccessKeyId'),
    secretAccessKey: member(answer, 'SecretAccessKey'),
    ...(typeof answer.SessionToken === 'string' && { sessionToken: answer.SessionToken }),
  };
}

const failure = (message: string): CliError =>
  new CliError(exitCodes.other, `Error when retrieving credentials from custom-process: ${message}`);

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    throw failure('its output is not JSON');
  }
}

function member(answer: Record<string, unknown>, name: string): string {
  const value = answer[name];
  if (typeof value === 'string') return value;
  throw failure(`Missing required key in response: '${name}'`);
}
