// The options that every command takes, in the order of the AWS CLI's reference.

import { CliError, exitCodes, FootlightsError } from './errors.ts';
import { type OptionSpec, parseKnown } from './parser.ts';
import { parseInteger } from './python.ts';

interface GlobalOption extends OptionSpec {
  help: string;
}

/** The global options; `help` is what the help pages say of each. */
export const globalOptions: readonly GlobalOption[] = [
  { name: '--debug', takes: 0, help: 'Write log lines of the request and the answer to stderr.' },
  { name: '--endpoint-url', takes: 1, help: 'Send the request to this URL.' },
  { name: '--no-verify-ssl', takes: 0, help: 'Accept any TLS certificate.' },
  { name: '--no-paginate', takes: 0, help: 'Ask for the first page only.' },
  {
    name: '--output',
    takes: 1,
    choices: ['json', 'text', 'table', 'yaml', 'yaml-stream'],
    help: 'The form of the output; json by default.',
  },
  { name: '--query', takes: 1, help: 'A JMESPath expression to filter the answer with.' },
  { name: '--profile', takes: 1, help: 'The profile of the configuration files to use.' },
  { name: '--region', takes: 1, help: 'The region to sign for.' },
  { name: '--version', takes: 0, help: 'Print the version.' },
  {
    name: '--color',
    takes: 1,
    choices: ['on', 'off', 'auto'],
    help: 'Colours in tables; auto, on a terminal alone, by default.',
  },
  { name: '--no-sign-request', takes: 0, help: 'Do not sign the request, and load no credentials.' },
  { name: '--ca-bundle', takes: 1, help: 'A file of CA certificates to trust.' },
  { name: '--cli-read-timeout', takes: 1, help: 'Seconds to wait for data; 60 by default, 0 for ever.' },
  {
    name: '--cli-connect-timeout',
    takes: 1,
    help: 'Seconds to wait for a connection; 60 by default, 0 for ever.',
  },
  {
    name: '--cli-binary-format',
    takes: 1,
    choices: ['base64', 'raw-in-base64-out'],
    help: 'The form of binary members; this API has none.',
  },
  { name: '--no-cli-pager', takes: 0, help: 'Do not show the output in a pager; on a terminal it is.' },
  { name: '--cli-auto-prompt', takes: 0, help: 'Prompt for the command and its options, with completion.' },
  { name: '--no-cli-auto-prompt', takes: 0, help: 'Do not prompt, whatever the configuration says.' },
  { name: '--no-local', takes: 0, exact: true, help: 'Do not look for a Footlights that runs on this machine.' },
];

/** What the global options said. Timeouts are in seconds. */
export interface Globals {
  debug: boolean;
  endpointUrl: string | undefined;
  verifyTls: boolean;
  paginate: boolean;
  profile: string | undefined;
  region: string | undefined;
  version: boolean;
  sign: boolean;
  caBundle: string | undefined;
  readTimeout: number;
  connectTimeout: number;
  local: boolean;
  output: string | undefined;
  query: string | undefined;
  color: 'on' | 'off' | 'auto';
  pager: boolean;
}

/** The words of the global options that were given, by name. */
export type GivenGlobals = ReadonlyMap<string, string | undefined>;

/** A line whose global options were taken out; what stays belongs to the command. */
export interface GlobalLine {
  globals: Globals;
  given: GivenGlobals;
  command: string | undefined;
  rest: string[];
}

const defaults: Globals = {
  debug: false,
  endpointUrl: undefined,
  verifyTls: true,
  paginate: true,
  profile: undefined,
  region: undefined,
  version: false,
  sign: true,
  caBundle: undefined,
  readTimeout: 60,
  connectTimeout: 60,
  local: true,
  output: undefined,
  query: undefined,
  color: 'auto',
  pager: true,
};

/** Takes the global options out of the line. */
export function parseGlobals(argv: readonly string[]): GlobalLine {
  const { occurrences, command, rest } = parseKnown(argv, globalOptions, true);
  const given = new Map(occurrences.map(({ option, words }) => [option.name, words[0]]));
  return { globals: mergeGlobals(defaults, given), given, command, rest };
}

/** The options of `base`, but for those that were given. */
export function mergeGlobals(base: Globals, given: GivenGlobals): Globals {
  const seconds = (name: string, otherwise: number): number => {
    const text = given.get(name);
    return text === undefined ? otherwise : parseInteger(text);
  };
  return {
    debug: base.debug || given.has('--debug'),
    endpointUrl: given.get('--endpoint-url') ?? base.endpointUrl,
    verifyTls: base.verifyTls && !given.has('--no-verify-ssl'),
    paginate: base.paginate && !given.has('--no-paginate'),
    profile: given.get('--profile') ?? base.profile,
    region: given.get('--region') ?? base.region,
    version: base.version || given.has('--version'),
    sign: base.sign && !given.has('--no-sign-request'),
    caBundle: given.get('--ca-bundle') ?? base.caBundle,
    readTimeout: seconds('--cli-read-timeout', base.readTimeout),
    connectTimeout: seconds('--cli-connect-timeout', base.connectTimeout),
    local: base.local && !given.has('--no-local'),
    output: given.get('--output') ?? base.output,
    query: given.get('--query') ?? base.query,
    color: (given.get('--color') as Globals['color'] | undefined) ?? base.color,
    pager: base.pager && !given.has('--no-cli-pager'),
  };
}

/** The refusal of something that the AWS CLI has and we do not. */
export const absent = (message: string): FootlightsError => new FootlightsError(exitCodes.usage, message);

/** Refuses an endpoint URL that could not be called. */
export function requireScheme(endpointUrl: string | undefined): void {
  if (endpointUrl === undefined || /^[a-z][a-z0-9+.-]*:/i.test(endpointUrl)) return;
  throw new CliError(
    exitCodes.usage,
    `Bad value for --endpoint-url "${endpointUrl}": scheme is missing.  Must be of the form http://<hostname>/ or https://<hostname>/`,
  );
}

/** The URL of an endpoint; throws when it is none. */
export function parseEndpoint(endpoint: string): URL {
  if (/^[^:/?#]+:\/\/[^/?#]/.test(endpoint) && URL.canParse(endpoint)) return new URL(endpoint);
  throw new CliError(exitCodes.other, `Invalid endpoint: ${endpoint}`);
}
