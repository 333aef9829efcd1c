// Where a call goes, for which region, and with whose keys: options, environment and files in the AWS CLI's order of
// precedence; and, when they leave out what is needed, the Footlights that runs on this machine.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from '@footlights/model';
import { CliError, exitCodes } from './errors.ts';
import { absent, type Globals } from './globals.ts';
import { parseIni, type Section } from './ini.ts';
import { dataFolder, findLocalServer, type LocalServer } from './local.ts';

export type TimestampFormat = 'iso8601' | 'wire';

/** Everything a call needs besides its input. */
export interface Settings {
  /** Scheme, host and path prefix, without a trailing slash. */
  endpoint: string;
  region: string;
  /** Undefined: the request goes unsigned. Asked for last, because input is checked before keys are. */
  credentials(): Promise<Credentials | undefined>;
  /** The output form by name; not checked yet. */
  output: string;
  /** The pager's command; empty for none. */
  pager: string;
  timestampFormat: TimestampFormat;
  validateParameters: boolean;
  /** How often a call is tried, the first time included. */
  maxAttempts: number;
  caBundle: string | undefined;
  /** True when endpoint and keys are those of a Footlights found on this machine. */
  local: boolean;
}

type Environment = NodeJS.ProcessEnv;

/** Reads the configuration; throws CliError in the AWS CLI's words. */
export function loadSettings(globals: Globals, env: Environment): Settings {
  const profile = loadProfile(globals, env);
  const endpoint = globals.endpointUrl ?? configuredEndpoint(env, profile);
  const region = globals.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || profile.get('region'));
  const local = globals.local ? localServer(globals, env, profile, endpoint, region) : undefined;
  const settings = {
    endpoint: (endpoint ?? local?.api ?? '').replace(/\/+$/, ''),
    region: checkedRegion(region ?? local?.region),
    credentials: async () =>
      globals.sign ? (local?.credentials ?? (await findCredentials(globals, env, profile))) : undefined,
    output: globals.output ?? (env.AWS_DEFAULT_OUTPUT || profile.get('output') || 'json'),
    pager: globals.pager ? (env.AWS_PAGER ?? profile.getRaw('cli_pager') ?? env.PAGER ?? 'less') : '',
    timestampFormat: timestampFormat(profile),
    validateParameters: profile.get('parameter_validation')?.toLowerCase() !== 'false',
    maxAttempts: maxAttempts(env, profile),
    caBundle:
      globals.caBundle ?? (env.AWS_CA_BUNDLE || profile.get('ca_bundle') || env.REQUESTS_CA_BUNDLE || undefined),
    local: local !== undefined && endpoint === undefined,
  };
  settings.endpoint ||= `https://ivsrealtime.${settings.region}.amazonaws.com`;
  return settings;
}

/** One profile: its sections in the credentials file and the config file. */
class Profile {
  readonly name: string;
  readonly keys: Section;
  readonly #config: Section;
  readonly #services: Section;

  constructor(name: string, keys: Section, config: Section, services: Section) {
    this.name = name;
    this.keys = keys;
    this.#config = config;
    this.#services = services;
  }

  get(key: string): string | undefined {
    return this.getRaw(key) || undefined;
  }

  /** The value, an empty one included. */
  getRaw(key: string): string | undefined {
    const value = this.#config[key] ?? this.keys[key];
    if (value === undefined || typeof value === 'string') return value;
    return Object.keys(value).length === 0 ? '' : undefined;
  }

  get serviceEndpoint(): string | undefined {
    const block = this.#services.ivs_realtime;
    return typeof block === 'object' ? block.endpoint_url : undefined;
  }

  get config(): Section {
    return this.#config;
  }
}

function loadProfile(globals: Globals, env: Environment): Profile {
  const home = env.HOME || homedir();
  const config = readIni(env.AWS_CONFIG_FILE || join(home, '.aws/config'), home);
  const keys = readIni(env.AWS_SHARED_CREDENTIALS_FILE || join(home, '.aws/credentials'), home);
  const named = globals.profile ?? (env.AWS_PROFILE || env.AWS_DEFAULT_PROFILE || undefined);
  const name = named ?? 'default';
  const section =
    config.get(`profile ${name}`) ??
    config.get(`profile "${name}"`) ??
    (name === 'default' ? config.get(name) : undefined);
  if (named !== undefined && named !== 'default' && !section && !keys.has(name)) {
    throw new CliError(exitCodes.other, `The config profile (${name}) could not be found`);
  }
  const services = typeof section?.services === 'string' ? config.get(`services ${section.services}`) : undefined;
  return new Profile(name, keys.get(name) ?? {}, section ?? {}, services ?? {});
}

/** A value of the environment's profile; undefined when that does not exist. */
export function configuredValue(key: string, env: Environment): string | undefined {
  const home = env.HOME || homedir();
  const sections = readIni(env.AWS_CONFIG_FILE || join(home, '.aws/config'), home);
  const name = env.AWS_PROFILE || env.AWS_DEFAULT_PROFILE || 'default';
  const value = (sections.get(`profile ${name}`) ?? sections.get(name))?.[key];
  return typeof value === 'string' ? value : undefined;
}

function readIni(path: string, home: string): Map<string, Section> {
  let text: string;
  const file = path.replace(/^~(?=\/|$)/, home);
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return new Map();
  }
  const sections = parseIni(text);
  if (!sections) throw new CliError(exitCodes.other, `Unable to parse config file: ${file}`);
  return sections;
}

function configuredEndpoint(env: Environment, profile: Profile): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === 'true') return undefined;
  return (
    env.AWS_ENDPOINT_URL_IVS_REALTIME || env.AWS_ENDPOINT_URL || profile.serviceEndpoint || profile.get('endpoint_url')
  );
}

/** The server on this machine, when it is needed: nothing says where to go, or that server's own URL is given without keys. */
function localServer(
  globals: Globals,
  env: Environment,
  profile: Profile,
  endpoint: string | undefined,
  region: string | undefined,
): LocalServer | undefined {
  const complete = region !== undefined && (!globals.sign || hasCredentials(globals, env, profile));
  if (complete) return undefined;
  const found = findLocalServer(dataFolder(env));
  const suits = endpoint === undefined || endpoint.replace(/\/+$/, '') === found?.api;
  return suits ? found : undefined;
}

const accessKey = 'aws_access_key_id';
const secretKey = 'aws_secret_access_key';

const usesEnvironment = (globals: Globals, env: Environment): boolean =>
  globals.profile === undefined && Boolean(env.AWS_ACCESS_KEY_ID || env.AWS_SECRET_ACCESS_KEY);

function hasCredentials(globals: Globals, env: Environment, profile: Profile): boolean {
  const sources = [profile.keys, profile.config];
  return (
    usesEnvironment(globals, env) ||
    sources.some((section) => accessKey in section || 'credential_process' in section || 'role_arn' in section)
  );
}

async function findCredentials(globals: Globals, env: Environment, profile: Profile): Promise<Credentials> {
  if (usesEnvironment(globals, env)) return fromEnvironment(env);
  if (accessKey in profile.keys) return fromSection(profile.keys, 'shared-credentials-file');
  if (accessKey in profile.config) return fromSection(profile.config, 'config-file');
  const command = profile.get('credential_process');
  if (command !== undefined) return (await import('./credential-process.ts')).fromProcess(command);
  for (const key of ['role_arn', 'sso_session', 'sso_start_url', 'credential_source']) {
    if (profile.get(key) !== undefined) {
      throw absent(`${key} (profile ${profile.name}) is not there yet; access keys and credential_process are`);
    }
  }
  const found = await (await import('./metadata-credentials.ts')).fromMetadata(env);
  if (found) return found;
  throw new CliError(
    exitCodes.configuration,
    'Unable to locate credentials. You can configure credentials by running "aws configure".',
  );
}

function fromEnvironment(env: Environment): Credentials {
  return {
    accessKeyId: required(env, 'AWS_ACCESS_KEY_ID', 'env'),
    secretAccessKey: required(env, 'AWS_SECRET_ACCESS_KEY', 'env'),
    ...optionalToken(env.AWS_SESSION_TOKEN || env.AWS_SECURITY_TOKEN),
  };
}

function fromSection(section: Section, source: string): Credentials {
  return {
    accessKeyId: required(section, accessKey, source),
    secretAccessKey: required(section, secretKey, source),
    ...optionalToken(section.aws_session_token),
  };
}

function required(values: Environment | Section, name: string, source: string): string {
  const value = values[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new CliError(exitCodes.other, `Partial credentials found in ${source}, missing: ${name}`);
}

const optionalToken = (value: unknown): { sessionToken?: string } =>
  typeof value === 'string' && value !== '' ? { sessionToken: value } : {};

function checkedRegion(region: string | undefined): string {
  if (region === undefined) {
    throw new CliError(
      exitCodes.configuration,
      'You must specify a region. You can also configure your region by running "aws configure".',
    );
  }
  if (!/^(?![0-9]+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)$/.test(region)) {
    throw new CliError(exitCodes.other, `Provided region_name '${region}' doesn't match a supported format.`);
  }
  return region;
}

function timestampFormat(profile: Profile): TimestampFormat {
  const value = profile.get('cli_timestamp_format') ?? 'iso8601';
  if (value === 'iso8601' || value === 'wire') return value;
  throw new CliError(
    exitCodes.configuration,
    `Unknown cli_timestamp_format value: ${value}, valid values are "wire" or "iso8601"`,
  );
}

const defaultAttempts = 3;

function maxAttempts(env: Environment, profile: Profile): number {
  const mode = env.AWS_RETRY_MODE || profile.get('retry_mode') || 'standard';
  if (mode !== 'standard' && mode !== 'adaptive') {
    throw new CliError(
      exitCodes.other,
      `Invalid value provided to "mode": "${mode}" must be one of: "standard" or "adaptive"`,
    );
  }
  const text = env.AWS_MAX_ATTEMPTS || profile.get('max_attempts');
  if (text === undefined) return defaultAttempts;
  const attempts = /^\s*\d+\s*$/.test(text) ? Number(text) : 0;
  if (attempts >= 1) return attempts;
  throw new CliError(
    exitCodes.other,
    `Value provided to "max_attempts": ${text} must be an integer greater than or equal to one.`,
  );
}
