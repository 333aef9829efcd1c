import { Writable } from 'node:stream';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { LogLevel } from './config.ts';

export type Log = Logger;

// Whatever a line is about, these members of it are never shown.
const secretNames = ['authorization', 'token', 'secretAccessKey', 'privateKey', 'streamKey', 'offer', 'answer'];
const redact = { paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' };

/** JSON lines, or short human ones when the output is a terminal. Secrets are masked. */
export function createLog(options: { level: LogLevel; terminal?: boolean; output?: DestinationStream }): Log {
  const terminal = options.terminal ?? process.stdout.isTTY === true;
  const output = options.output ?? destination({ dest: 1, sync: true });
  const base = { level: options.level, redact, timestamp: pino.stdTimeFunctions.isoTime };
  if (terminal) return pino({ ...base, base: null }, humanLines(output));
  return pino({ ...base, base: null, formatters: { level: (label) => ({ level: label }) } }, output);
}

const levelNames = new Map<unknown, string>(Object.entries(pino.levels.labels).map(([n, name]) => [Number(n), name]));

/** `12:34:56.789 warn  message  name=value …`, and stacks on lines of their own. */
function humanLines(output: DestinationStream): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      output.write(humanLine(JSON.parse(String(chunk))));
      done();
    },
  });
}

function humanLine(line: Record<string, unknown>): string {
  const { time, level, msg, err, ...fields } = line;
  const name = levelNames.get(level) ?? String(level);
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${plain(value)}`);
  const head = [String(time).slice(11, 23), name.padEnd(5), printable(String(msg ?? ''))].join(' ');
  return `${[head, ...pairs].join('  ').trimEnd()}\n${stackOf(err)}`;
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('stack' in error)) return '';
  const lines = String(error.stack).split('\n');
  return lines.map((line) => `    ${printable(line)}\n`).join('');
}

const plain = (value: unknown) =>
  typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : printable(JSON.stringify(value));

// A client's text must not move the cursor or colour the screen of whoever reads the log.
const printable = (text: string) =>
  text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
