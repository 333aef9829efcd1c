// `footlights env`: lines for a shell's eval that point every AWS tool to the running server.

import { parseArgs } from 'node:util';
import { exitCodes, FootlightsError } from './errors.ts';
import { dataFolder, findLocalServer, type LocalServer } from './local.ts';

const shells = ['sh', 'fish', 'powershell'] as const;
type Shell = (typeof shells)[number];

/** The text to evaluate; throws when no server has started in the data folder. */
export function environment(argv: readonly string[], env: NodeJS.ProcessEnv): string {
  const { folder, shell } = readOptions(argv, env);
  const server = findLocalServer(folder);
  if (!server) {
    const message = `no server has started in ${folder} yet; run "npm start" in the project folder first`;
    throw new FootlightsError(exitCodes.own, message);
  }
  return variables(server)
    .map(([name, value]) => `${assignments[shell](name, value)}\n`)
    .join('');
}

function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): { folder: string; shell: Shell } {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { 'data-dir': { type: 'string' }, shell: { type: 'string' } },
    });
    const shell = shells.find((name) => name === (values.shell ?? 'sh'));
    if (!shell) throw new Error(`--shell "${values.shell}" is not one of ${shells.join(', ')}`);
    return { folder: values['data-dir'] ?? dataFolder(env), shell };
  } catch (error) {
    const usage = 'usage: footlights env [--data-dir <folder>] [--shell sh|fish|powershell]';
    throw new FootlightsError(exitCodes.own, `${(error as Error).message}; ${usage}`);
  }
}

const variables = ({ api, region, credentials }: LocalServer): [string, string][] => [
  ['AWS_ENDPOINT_URL_IVS_REALTIME', api],
  ['AWS_ACCESS_KEY_ID', credentials.accessKeyId],
  ['AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey],
  ['AWS_REGION', region],
  // boto3 and the first version of the AWS CLI read this one alone.
  ['AWS_DEFAULT_REGION', region],
];

const assignments: Record<Shell, (name: string, value: string) => string> = {
  sh: (name, value) => `export ${name}=${singleQuoted(value, `'\\''`)};`,
  fish: (name, value) => `set -gx ${name} '${value.replace(/[\\']/g, '\\$&')}';`,
  powershell: (name, value) => `$env:${name} = ${singleQuoted(value, "''")};`,
};

const singleQuoted = (value: string, quote: string): string => `'${value.replaceAll("'", quote)}'`;
