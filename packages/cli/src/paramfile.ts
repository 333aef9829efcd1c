// `file://path` and `fileb://path` in place of a value.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { parameterError } from './errors.ts';

/** The value itself, or what the file that it names holds: text for `file://`, bytes for `fileb://`. */
export function readParamFile(option: string, value: string): string | Uint8Array {
  const scheme = /^fileb?:\/\//.exec(value)?.[0];
  if (scheme === undefined) return value;
  const path = value.slice(scheme.length).replace(/^~(?=\/|$)/, homedir());
  const bytes = readBytes(option, value, path);
  return scheme === 'fileb://' ? bytes : decode(option, path, bytes);
}

function readBytes(option: string, value: string, path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw parameterError(
      option,
      `Unable to load paramfile ${value}: ${describe(error as NodeJS.ErrnoException, path)}`,
    );
  }
}

const reasons: Record<string, string> = {
  ENOENT: '[Errno 2] No such file or directory',
  EACCES: '[Errno 13] Permission denied',
  ENOTDIR: '[Errno 20] Not a directory',
  EISDIR: '[Errno 21] Is a directory',
};

const describe = (error: NodeJS.ErrnoException, path: string): string =>
  `${reasons[error.code ?? ''] ?? error.message}: '${path}'`;

function decode(option: string, path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw parameterError(
      option,
      `Unable to load paramfile (${path}), text contents could not be decoded.  If this is a binary file, please use the fileb:// prefix instead of the file:// prefix.`,
    );
  }
}
