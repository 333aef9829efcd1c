import { accessSync, constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { availableParallelism, homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { awsMediaLimits } from '@footlights/media';
import { type OperationName, operations } from '@footlights/model';
import { awsQuotas, type Quotas, quotaNames } from './quotas.ts';
import { maxRate, type RateLimitTable } from './rate-limits.ts';
import { messageOf, StartupError } from './startup-error.ts';

/** What the server was told at start-up; every member has passed its checks. */
export interface Config {
  host: string;
  /** TCP port of API and signalling; 0: any free one. */
  port: number;
  /** First UDP port of the media workers, worker i uses mediaPort + i; 0: any free ones. */
  mediaPort: number;
  /** Whether encoders may publish over RTMP and RTMPS. */
  ingest: boolean;
  /** TCP ports of RTMP and RTMPS; 0: any free one. */
  rtmpPort: number;
  rtmpsPort: number;
  /** Whether streams that viewers could not decode are encoded anew instead of refused. */
  ingestTranscode: boolean;
  /** Addresses that clients are told, when they are not those of `host`; the first one is in the URLs too. */
  announceIps: readonly string[];
  /** The URL that clients are told, without a slash at the end, when it is not made of address and port. */
  publicUrl?: string;
  /** `stun:`, `turn:` and their TLS forms (RFC 7064, RFC 7065) that clients are told. */
  iceServers: readonly string[];
  /** Of every TURN server; comes with turnCredential. */
  turnUsername?: string;
  turnCredential?: string;
  /** Shared with the TURN servers, which then take credentials that end by themselves. */
  turnSecret?: string;
  /** Seconds that such credentials are good for. */
  turnTtl: number;
  dataDir: string;
  /** Where the buckets of storage configurations are. */
  buckets: 'folder' | 's3';
  /** Of a server that speaks S3; absent: AWS. */
  s3Endpoint?: string;
  /** Whether video that is not H.264 is encoded anew for recordings, instead of refused. */
  recordingTranscode: boolean;
  /** MiB of disk space, in the data folder, for what is recorded and not stored yet. */
  recordingSpool: number;
  /** Where events are sent; comes with eventsWebhookSecret, with which they are signed. */
  eventsWebhook?: string;
  eventsWebhookSecret?: string;
  /** Path of the file that events are added to. */
  eventsFile?: string;
  eventsStdout: boolean;
  region: string;
  accountId: string;
  /** Path of the PEM certificate chain; comes with tlsKey. */
  tlsCert?: string;
  tlsKey?: string;
  /** Whether API calls must be signed. */
  auth: boolean;
  mediaWorkers: number;
  /** Seconds that a session goes on when nobody is left in it. */
  sessionEndDelay: number;
  publishersPerStage: number;
  participantsPerStage: number;
  /** Bits per second that one participant may publish. */
  maxPublishBitrate: number;
  /** Width times height of the largest picture that may be published. */
  maxPublishPixels: number;
  /** Seconds that one media connection may last. */
  maxDuration: number;
  /** Bits per second that one participant is sent, all subscriptions together. */
  maxSubscribeBitrate: number;
  quotas: Quotas;
  rateLimits: RateLimitTable;
  logLevel: LogLevel;
}

/** From the fewest to the most lines; 'silent' writes none. */
export const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

/** An option that is unknown, malformed or out of range. */
export class ConfigError extends StartupError {
  override name = 'ConfigError';
}

/** Turns an option's text into its value, or throws the half sentence that follows "must be". */
type Parse<T> = (text: string, folder: string) => T;

interface Option<T> {
  /** Of the flag and of the file's member; the variable is FOOTLIGHTS_ and this in capitals. */
  name: string;
  /** What the flag is followed by; absent: the flag stands alone, and means "true". */
  argument?: string;
  help: string;
  /** Whether it may be given several times, and be a list or an object in the file: one text then, with commas. */
  repeats?: 'list' | 'object';
  /** Whether no message may show the value. */
  secret?: true;
  parse: Parse<T>;
  default: T;
  /** The default as the help shows it, when that is not the value. */
  defaultText?: string;
}

class Expected extends Error {}

const integer =
  (from: number, to: number): Parse<number> =>
  (text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= from && value <= to) return value;
    throw new Expected(`a whole number from ${from} to ${to}`);
  };

const matching =
  (pattern: RegExp, description: string): Parse<string> =>
  (text) => {
    if (pattern.test(text)) return text;
    throw new Expected(description);
  };

const oneOf =
  <T extends string>(values: readonly T[]): Parse<T> =>
  (text) => {
    const value = values.find((known) => known === text);
    if (value) return value;
    throw new Expected(`one of ${values.join(', ')}`);
  };

/** Announced addresses beyond these help nobody, and some encoders stumble over many candidates. */
export const maxAnnounceIps = 4;

const addresses: Parse<string[]> = (text) => {
  const given = text.split(',').map((item) => item.trim());
  if (!given.every((item) => isIP(item))) throw new Expected('an IPv4 or IPv6 address');
  if (given.length > maxAnnounceIps) throw new Expected(`at most ${maxAnnounceIps} addresses`);
  return given;
};

/** Each is a header of every answer. */
export const maxIceServers = 8;

const iceHost = String.raw`(?:[\w.-]{1,253}|\[[\da-fA-F:.]{2,45}\])(?::\d{1,5})?`;
const iceUrl = new RegExp(String.raw`^(?:stuns?:${iceHost}|turns?:${iceHost}(?:\?transport=(?:udp|tcp))?)$`);

const iceServers: Parse<string[]> = (text) => {
  const given = text.split(',').map((item) => item.trim());
  if (!given.every((item) => iceUrl.test(item)))
    throw new Expected('stun:HOST[:PORT] or turn:HOST[:PORT][?transport=udp|tcp], or stuns: or turns:');
  if (given.length > maxIceServers) throw new Expected(`at most ${maxIceServers} servers`);
  return given;
};

/** What a quoted string of an HTTP header can hold whole. */
const printable = matching(/^[\x20-\x7e]{1,256}$/, '1 to 256 printable ASCII characters');

const publicUrl: Parse<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username)
    return text.replace(/\/+$/, '');
  throw new Expected('an http or https URL without query');
};

const webhookUrl: Parse<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.hash && !url.username && !url.password) return text;
  throw new Expected('an http or https URL without user and fragment');
};

// Shells expand the tilde, files and most service managers do not.
const path: Parse<string> = (text, folder) => {
  if (text === '' || text.includes('\0')) throw new Expected('a path');
  return text === '~' || text.startsWith('~/') ? resolve(homedir(), text.slice(2)) : resolve(folder, text);
};

const readableFile: Parse<string> = (text, folder) => {
  const file = path(text, folder);
  try {
    accessSync(file, constants.R_OK);
    return file;
  } catch (error) {
    throw new Expected(`a file that can be read (${messageOf(error)})`);
  }
};

/** `NAME=NUMBER,…`: numbers under names that are known. */
const numbers =
  <N extends string>(names: readonly N[], one: string, from: number, to: number): Parse<Partial<Record<N, number>>> =>
  (text) => {
    const values: Partial<Record<N, number>> = {};
    for (const item of text.split(',')) {
      const [name = '', value = '', ...rest] = item.split('=').map((part) => part.trim());
      const known = names.find((candidate) => candidate === name);
      if (!known || rest.length > 0 || !/^\d{1,9}$/.test(value) || Number(value) < from || Number(value) > to)
        throw new Expected(`NAME=NUMBER, with the name of ${one} and a whole number from ${from} to ${to}`);
      values[known] = Number(value);
    }
    return values;
  };

const quotas = numbers(quotaNames, `a quota (${quotaNames.join(', ')})`, 0, 1_000_000);

/** A switch that turns something off: true gives false. */
const off: Parse<boolean> = (text, folder) => ['false', '0'].includes(oneOf(['true', 'false', '1', '0'])(text, folder));

/** A switch that turns something on. */
const on: Parse<boolean> = (text, folder) => !off(text, folder);

/** Every option, in the order of the help. Flags, variables, file members and help all derive from it. */
const options: { readonly [K in keyof Config]-?: Option<Config[K]> } = {
  host: {
    name: 'host',
    argument: 'ADDRESS',
    help: 'address to listen on',
    parse: matching(/^[\w.:%-]{1,253}$/, 'an address or a host name'),
    default: '127.0.0.1',
  },
  port: {
    name: 'port',
    argument: 'PORT',
    help: 'TCP port of API, WHIP and events; 0 takes any free one',
    parse: integer(0, 65_535),
    default: 7070,
  },
  mediaPort: {
    name: 'media-port',
    argument: 'PORT',
    help: 'UDP port of the first media worker, the others follow; 0 takes any free ones',
    parse: integer(0, 65_535),
    default: 7071,
  },
  rtmpPort: {
    name: 'rtmp-port',
    argument: 'PORT',
    help: 'TCP port of RTMP encoders; 0 takes any free one',
    parse: integer(0, 65_535),
    default: 1935,
  },
  rtmpsPort: {
    name: 'rtmps-port',
    argument: 'PORT',
    help: 'TCP port of RTMPS encoders; 0 takes any free one',
    parse: integer(0, 65_535),
    default: 1936,
  },
  ingest: {
    name: 'no-ingest',
    help: 'take no RTMP and RTMPS encoders, and open no ports for them',
    parse: off,
    default: true,
    defaultText: 'encoders may publish',
  },
  ingestTranscode: {
    name: 'ingest-transcode',
    help: 'encode streams with B-frames or too large a picture anew',
    parse: on,
    default: false,
    defaultText: 'they are refused',
  },
  announceIps: {
    name: 'announce-ip',
    argument: 'ADDRESS',
    help: 'address that clients are told; of several, the first is in URLs',
    repeats: 'list',
    parse: addresses,
    default: [],
    defaultText: 'that of --host',
  },
  publicUrl: {
    name: 'public-url',
    argument: 'URL',
    help: 'URL that clients are told, as of a proxy in front',
    parse: publicUrl,
    default: undefined,
    defaultText: '--announce-ip and --port',
  },
  iceServers: {
    name: 'ice-server',
    argument: 'URL',
    help: 'stun: or turn: URL that clients are told; may be given several times',
    repeats: 'list',
    parse: iceServers,
    default: [],
    defaultText: 'none',
  },
  turnUsername: {
    name: 'turn-username',
    argument: 'NAME',
    help: 'user name for the TURN servers, with --turn-credential',
    parse: printable,
    default: undefined,
  },
  turnCredential: {
    name: 'turn-credential',
    argument: 'TEXT',
    help: 'password for them, told to every participant',
    secret: true,
    parse: printable,
    default: undefined,
  },
  turnSecret: {
    name: 'turn-secret',
    argument: 'TEXT',
    help: 'instead: secret shared with the TURN servers, for credentials that end',
    secret: true,
    parse: printable,
    default: undefined,
  },
  turnTtl: {
    name: 'turn-ttl',
    argument: 'SECONDS',
    help: 'how long such credentials are good',
    parse: integer(60, 2_592_000),
    default: 86_400,
  },
  dataDir: {
    name: 'data-dir',
    argument: 'FOLDER',
    help: 'folder of the database, the keys and endpoints.json',
    parse: path,
    default: resolve(homedir(), '.footlights'),
    defaultText: '~/.footlights',
  },
  buckets: {
    name: 'buckets',
    argument: 'WHERE',
    help: 'where the buckets of storage configurations are: folder or s3',
    parse: oneOf(['folder', 's3']),
    default: 'folder',
  },
  s3Endpoint: {
    name: 's3-endpoint',
    argument: 'URL',
    help: 'server that speaks S3, with --buckets s3',
    parse: publicUrl,
    default: undefined,
    defaultText: 'AWS',
  },
  recordingTranscode: {
    name: 'no-recording-transcode',
    help: 'record no video but H.264',
    parse: off,
    default: true,
    defaultText: 'others are encoded anew',
  },
  recordingSpool: {
    name: 'recording-spool',
    argument: 'MIB',
    help: 'disk space for recordings while their bucket is away',
    parse: integer(0, 1_048_576),
    default: 2_048,
  },
  eventsWebhook: {
    name: 'events-webhook',
    argument: 'URL',
    help: 'where events are sent as POST requests',
    // A webhook's URL may be the key to it.
    secret: true,
    parse: webhookUrl,
    default: undefined,
  },
  eventsWebhookSecret: {
    name: 'events-webhook-secret',
    argument: 'TEXT',
    help: 'secret with which those requests are signed',
    secret: true,
    parse: printable,
    default: undefined,
  },
  eventsFile: {
    name: 'events-file',
    argument: 'FILE',
    help: 'file that events are added to, a line of JSON each',
    parse: path,
    default: undefined,
  },
  eventsStdout: {
    name: 'events-stdout',
    help: 'write events to the standard output, a line of JSON each',
    parse: on,
    default: false,
    defaultText: 'they are not',
  },
  region: {
    name: 'region',
    argument: 'REGION',
    help: 'AWS region of the ARNs and of the signatures',
    parse: matching(/^[a-z0-9-]{1,32}$/, 'lower-case letters, digits and hyphens, at most 32'),
    default: 'us-west-2',
  },
  accountId: {
    name: 'account-id',
    argument: 'DIGITS',
    help: 'AWS account of the ARNs',
    parse: matching(/^\d{12}$/, '12 digits'),
    default: '123456789012',
  },
  tlsCert: {
    name: 'tls-cert',
    argument: 'FILE',
    help: 'PEM certificate chain; with --tls-key: HTTPS instead of HTTP',
    parse: readableFile,
    default: undefined,
  },
  tlsKey: {
    name: 'tls-key',
    argument: 'FILE',
    help: 'PEM private key of --tls-cert',
    parse: readableFile,
    default: undefined,
  },
  auth: {
    name: 'no-auth',
    help: 'accept API calls of everybody who can connect, signed or not',
    parse: off,
    default: true,
    defaultText: 'calls must be signed',
  },
  mediaWorkers: {
    name: 'media-workers',
    argument: 'NUMBER',
    help: 'processes that forward media',
    parse: integer(1, 256),
    default: Math.max(1, availableParallelism() - 1),
    defaultText: 'cores - 1, at least 1',
  },
  sessionEndDelay: {
    name: 'session-end-delay',
    argument: 'SECONDS',
    help: 'how long a session goes on when nobody is left in it',
    parse: integer(0, 86_400),
    default: 180,
  },
  publishersPerStage: {
    name: 'publishers-per-stage',
    argument: 'NUMBER',
    help: 'how many may publish in one stage at once',
    parse: integer(1, 1_000),
    default: 12,
  },
  participantsPerStage: {
    name: 'participants-per-stage',
    argument: 'NUMBER',
    help: 'how many participants may be joined to a stage at once, viewers included',
    parse: integer(1, 1_000_000),
    default: 10_000,
  },
  maxPublishBitrate: {
    name: 'max-publish-bitrate',
    argument: 'BITS',
    help: 'bits a second that a participant may publish, as a mean over 10 s',
    parse: integer(1_000, 40_000_000),
    default: awsMediaLimits.publishBps,
  },
  maxPublishPixels: {
    name: 'max-publish-pixels',
    argument: 'NUMBER',
    help: 'largest width times height of a published picture',
    parse: integer(1, 33_177_600),
    default: awsMediaLimits.pixels,
  },
  maxDuration: {
    name: 'max-duration',
    argument: 'SECONDS',
    help: 'how long one may publish, or receive a publisher, at most',
    parse: integer(1, 2_592_000),
    default: awsMediaLimits.durationMs / 1000,
  },
  maxSubscribeBitrate: {
    name: 'max-subscribe-bitrate',
    argument: 'BITS',
    help: 'bits a second that a participant is sent, all subscriptions together',
    parse: integer(1_000, 200_000_000),
    default: awsMediaLimits.subscribeBps,
  },
  quotas: {
    name: 'quota',
    argument: 'NAME=NUMBER',
    help: 'most that an account may have in one region; may be given several times',
    repeats: 'object',
    parse: (text, folder) => ({ ...awsQuotas, ...quotas(text, folder) }),
    default: awsQuotas,
    defaultText: "AWS's own",
  },
  rateLimits: {
    name: 'rate-limit',
    argument: 'NAME=NUMBER',
    help: 'most calls a second of one operation; may be given several times',
    repeats: 'object',
    parse: numbers(Object.keys(operations) as OperationName[], 'an operation, such as CreateStage,', 1, maxRate),
    default: {},
    defaultText: 'no limits',
  },
  logLevel: {
    name: 'log-level',
    argument: 'LEVEL',
    help: logLevels.join(', '),
    parse: oneOf(logLevels),
    default: 'info',
  },
};

type OptionEntry = { [K in keyof Config]-?: [K, Option<Config[K]>] }[keyof Config];
const entries = Object.entries(options) as OptionEntry[];
const optionNames = new Set(entries.map(([, { name }]) => name));
const repeating = new Map(entries.map(([, { name, repeats }]) => [name, repeats]));
const standAlone = new Set(entries.filter(([, { argument }]) => !argument).map(([, { name }]) => name));

/** One value as it was given, and where: "--port", "FOOTLIGHTS_PORT" or "port in /etc/footlights.yaml". */
interface Given {
  text: string;
  where: string;
  /** What a relative path is relative to. */
  folder: string;
}
type Source = ReadonlyMap<string, Given>;

/** Reads flags, FOOTLIGHTS_* variables, the --config file and the defaults, in this order of precedence. */
export function loadConfig(argv: readonly string[], env: NodeJS.ProcessEnv): Config | { help: string } {
  const flags = readFlags(argv);
  if (flags.has('help')) return { help: help() };
  const variables = readVariables(env);
  const file = flags.get('config') ?? variables.get('config');
  const sources = [flags, variables, file ? readFile(file) : new Map<string, Given>()];
  const config = Object.fromEntries(entries.map(([key, option]) => [key, choose(option, sources)]));
  return checkTogether(config as unknown as Config);
}

function choose(option: Option<unknown>, sources: readonly Source[]): unknown {
  const given = sources.map((source) => source.get(option.name)).find((value) => value !== undefined);
  if (!given) return option.default;
  try {
    return option.parse(given.text, given.folder);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    const shown = option.secret ? 'not shown here' : JSON.stringify(given.text);
    throw new ConfigError(`${given.where} is ${shown}, it must be ${error.message}`);
  }
}

function checkTogether(config: Config): Config {
  const { mediaPort, mediaWorkers, tlsCert, tlsKey } = config;
  checkTcpPorts(config);
  checkTurn(config);
  checkWebhook(config);
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const [given, missing] = tlsCert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new ConfigError(`tls-${given} is given without tls-${missing}: give both, or none`);
  }
  if (mediaPort !== 0 && mediaPort + mediaWorkers - 1 > 65_535)
    throw new ConfigError(
      `media-port ${mediaPort} leaves no room for ${mediaWorkers} media workers, which use one port each: choose at most ${65_536 - mediaWorkers}`,
    );
  return config;
}

function checkTcpPorts({ port, rtmpPort, rtmpsPort, ingest }: Config): void {
  const given = ingest ? { port, 'rtmp-port': rtmpPort, 'rtmps-port': rtmpsPort } : {};
  const taken = new Map<number, string>();
  for (const [name, number] of Object.entries(given)) {
    const other = taken.get(number);
    if (number !== 0 && other !== undefined)
      throw new ConfigError(`${other} and ${name} are both ${number}: give each a port of its own`);
    taken.set(number, name);
  }
}

/** TURN needs credentials (RFC 8656 section 9.2), of one kind; browsers refuse a TURN server without any. */
function checkTurn({ iceServers, turnUsername, turnCredential, turnSecret }: Config): void {
  if ((turnUsername === undefined) !== (turnCredential === undefined)) {
    const [given, missing] = turnUsername === undefined ? ['credential', 'username'] : ['username', 'credential'];
    throw new ConfigError(`turn-${given} is given without turn-${missing}: give both, or none`);
  }
  if (turnUsername !== undefined && turnSecret !== undefined)
    throw new ConfigError('turn-username and turn-secret are both given: give the one that the TURN servers know');
  const known = turnUsername !== undefined || turnSecret !== undefined;
  const turn = iceServers.find((url) => url.startsWith('turn'));
  if (turn !== undefined && !known)
    throw new ConfigError(`ice-server ${turn} needs turn-secret, or turn-username and turn-credential`);
  if (turn === undefined && known)
    throw new ConfigError('credentials for TURN are given without a TURN server: give one with ice-server');
}

/** Unsigned events could come from anybody. */
function checkWebhook({ eventsWebhook, eventsWebhookSecret }: Config): void {
  if ((eventsWebhook === undefined) === (eventsWebhookSecret === undefined)) return;
  const [given, missing] =
    eventsWebhook === undefined
      ? ['events-webhook-secret', 'events-webhook']
      : ['events-webhook', 'events-webhook-secret'];
  throw new ConfigError(`${given} is given without ${missing}: give both, or none`);
}

function readFlags(argv: readonly string[]): Source {
  const flags = new Map<string, Given>();
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '-h') word = '--help';
    const [, name = '', equals, attached] = /^--([^=]*)(=?)(.*)$/s.exec(word) ?? [];
    if (name !== 'help' && name !== 'config' && !optionNames.has(name))
      throw new ConfigError(`unknown option ${JSON.stringify(word.split('=')[0])}: see "footlights start --help"`);
    const takesNone = name === 'help' || standAlone.has(name);
    const text = equals ? attached : takesNone ? 'true' : rest.shift();
    if (text === undefined) throw new ConfigError(`--${name} needs a value: see "footlights start --help"`);
    const earlier = repeating.get(name) ? flags.get(name) : undefined;
    const whole = earlier ? `${earlier.text},${text}` : text;
    flags.set(name, { text: whole, where: `--${name}`, folder: process.cwd() });
  }
  return flags;
}

const variableOf = (name: string) => `FOOTLIGHTS_${name.toUpperCase().replaceAll('-', '_')}`;

// Unknown FOOTLIGHTS_ variables are left alone: other programs of the project read some of their own.
function readVariables(env: NodeJS.ProcessEnv): Source {
  const variables = new Map<string, Given>();
  for (const name of [...optionNames, 'config']) {
    const text = env[variableOf(name)];
    if (text !== undefined && text !== '')
      variables.set(name, { text, where: variableOf(name), folder: process.cwd() });
  }
  return variables;
}

/** A JSON or YAML file: one object whose members are named as the flags. */
function readFile({ text, where, folder }: Given): Source {
  const file = path(text, folder);
  const values = new Map<string, Given>();
  for (const [name, value] of Object.entries(parseFile(file, where))) {
    if (!optionNames.has(name))
      throw new ConfigError(`unknown option ${JSON.stringify(name)} in ${file}: see "footlights start --help"`);
    const text = asOneText(value, repeating.get(name));
    if (typeof text !== 'string')
      throw new ConfigError(`${name} in ${file} must be one value, not a list or an object`);
    values.set(name, { text, where: `${name} in ${file}`, folder: dirname(file) });
  }
  return values;
}

/** The members of an object or a list as a flag would give them, where the option repeats; anything else as it is. */
function asOneText(value: unknown, repeats: 'list' | 'object' | undefined): unknown {
  if (repeats === 'list' && Array.isArray(value)) return value.join(',');
  if (repeats !== 'object' || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value)
    .map(([name, member]) => `${name}=${member}`)
    .join(',');
}

/** JSON is YAML; the failsafe schema leaves every value as it was written, so an account id keeps its leading zeros. */
function parseFile(file: string, where: string): object {
  let value: unknown;
  try {
    const yaml: typeof import('yaml') = createRequire(import.meta.url)('yaml');
    value = yaml.parse(readFileSync(file, 'utf8'), { schema: 'failsafe', logLevel: 'error' });
  } catch (error) {
    throw new ConfigError(`${where}: ${file} cannot be read as JSON or YAML (${messageOf(error)})`);
  }
  if (value === null || value === '') return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value;
  throw new ConfigError(`${where}: ${file} must hold one object of options`);
}

function help(): string {
  const rows = entries.map(([, option]) => {
    const shown = option.defaultText ?? option.default;
    return [usage(option), `${option.help}${shown === undefined ? '' : ` (${shown})`}`];
  });
  rows.push(['--config FILE', 'JSON or YAML file with the same names']);
  rows.push(['--help', 'this text']);
  const width = Math.max(...rows.map(([left = '']) => left.length));
  const table = rows.map(([left = '', right]) => `  ${left.padEnd(width)}  ${right}`);
  return [
    'Usage: footlights start [options]',
    '',
    ...table,
    '',
    'Each option is also a variable (--media-port: FOOTLIGHTS_MEDIA_PORT) and a member of the file (media-port).',
    'Flags win over variables, variables over the file, the file over the defaults.',
    `Quotas: ${quotaNames.map((name) => `${name} (${awsQuotas[name]})`).join(', ')}.`.replace(
      /(.{1,110})(?: |$)/g,
      '$1\n',
    ),
    '',
  ].join('\n');
}

const usage = ({ name, argument }: { name: string; argument?: string }) =>
  argument ? `--${name} ${argument}` : `--${name}`;
