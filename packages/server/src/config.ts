import { StartupError } from './startup-error.ts';

/** What the server was told at start-up; every member has passed its checks. */
export interface Config {
  host: string;
  /** TCP port of API and signalling; 0: any free one. */
  port: number;
  /** First UDP port of the media workers, worker i uses mediaPort + i; 0: any free ones. */
  mediaPort: number;
  /** The address that clients reach the media ports at, when it is not `host`. */
  announceIp?: string;
  dataDir: string;
  region: string;
  accountId: string;
  /** Path of the PEM certificate chain; comes with tlsKey. */
  tlsCert?: string;
  tlsKey?: string;
  /** Whether API calls must be signed. */
  auth: boolean;
  mediaWorkers: number;
  /** Seconds from the last publisher's end to the session's end. */
  sessionEndDelay: number;
  publishersPerStage: number;
  logLevel: LogLevel;
}

/** From the fewest to the most lines; 'silent' writes none. */
export const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

/** An option that is unknown, malformed or out of range. */
export class ConfigError extends StartupError {
  override name = 'ConfigError';
}

/** Reads flags, FOOTLIGHTS_* variables, the --config file and the defaults, in this order of precedence. */
export function loadConfig(_argv: readonly string[], _env: NodeJS.ProcessEnv): Config | { help: string } {
  throw new ConfigError('not written');
}
