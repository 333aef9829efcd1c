// Values as Python reads and prints them: the AWS CLI's users have seen these forms for years, and scripts match them.

import { CliError, exitCodes } from './errors.ts';

/** A floating-point member: printed with a fraction even when it is whole. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toJSON(): number {
    return this.value;
  }
}

/** Python's `int(text)`: surrounding blanks, a sign and single underscores between digits are accepted. */
export function parseInteger(text: string): number {
  const trimmed = text.trim();
  if (!/^[+-]?\d+(_\d+)*$/.test(trimmed)) {
    throw new CliError(exitCodes.other, `invalid literal for int() with base 10: ${repr(text)}`);
  }
  return Number(trimmed.replaceAll('_', ''));
}

const decimal = /^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+)?$/i;

/** Python's `float(text)`, finite values only: JSON has no others. */
export function parseFloatingPoint(text: string): number {
  const trimmed = text.trim();
  if (!decimal.test(trimmed)) {
    throw new CliError(exitCodes.other, `could not convert string to float: ${repr(text)}`);
  }
  return Number(trimmed.replaceAll('_', ''));
}

/** Python's `float(text)` with infinities and NaN; undefined when the text is no number. */
export function parsePythonFloat(text: string): number | undefined {
  const special = /^\s*([+-]?)(inf(?:inity)?|nan)\s*$/i.exec(text);
  if (special) {
    const size = special[2]?.toLowerCase() === 'nan' ? Number.NaN : Number.POSITIVE_INFINITY;
    return special[1] === '-' ? -size : size;
  }
  return decimal.test(text.trim()) ? Number(text.replaceAll('_', '')) : undefined;
}

/** The shortest form that reads back the same, in the notation Python chooses: exponents below 1e-4 and from 1e16. */
export function formatFloat(value: number): string {
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (Number.isInteger(value)) return `${value}.0`;
  return exponent < -6 ? value.toFixed(-exponent + mantissa.replace(/^-?\d\.?/, '').length) : String(value);
}

/** `repr(value)`. */
export function repr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return reprString(value);
  if (value instanceof Float) return formatFloat(value.value);
  if (value instanceof Uint8Array) return `b${reprBytes(value)}`;
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, item]) => `${repr(key)}: ${repr(item)}`)
      .join(', ')}}`;
  }
  return typeof value === 'number' && !Number.isInteger(value) ? formatFloat(value) : String(value);
}

/** `str(value)`: a bare string stays as it is. */
export const str = (value: unknown): string => (typeof value === 'string' ? value : repr(value));

/** The order of strings by code point; that of Python; JavaScript's own is by UTF-16 unit. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    if (a.charCodeAt(at) !== b.charCodeAt(at)) return a.codePointAt(at)! - b.codePointAt(at)!;
  }
  return a.length - b.length;
}

/** `str(type(value))`. */
export function typeName(value: unknown): string {
  return `<class '${className(value)}'>`;
}

/** `type(value).__name__`. */
export function className(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Float) return 'float';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return { string: 'str', boolean: 'bool', object: 'dict' }[typeof value as string] ?? typeof value;
}

const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/[\\\p{Cc}]/gu, (character) => escapes[character] ?? hexEscape(character));
  return `${quote}${quote === "'" ? body.replaceAll("'", "\\'") : body}${quote}`;
}

const reprBytes = (bytes: Uint8Array): string =>
  reprString(Buffer.from(bytes).toString('latin1')).replace(/[\u00a0-\u00ff]/g, hexEscape);

const hexEscape = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
