/** What a description may hold at most; one that holds more is refused with the limit's name. */
export const limits = {
  /** UTF-8 bytes of the whole text. */
  textBytes: 65_536,
  /** Characters of one line, its end not counted. */
  lineLength: 2_048,
  /** m-lines. */
  media: 32,
  /** Formats of one m-line. */
  payloads: 256,
  /** a=extmap of one m-line. */
  extmaps: 64,
  /** a=rtcp-fb of one payload, those of `*` included. */
  rtcpFbs: 32,
  /** Entries of every other list: SSRCs, groups, rids, candidates, fingerprints … of one level. */
  entries: 64,
} as const;

/** One line: `<type>=<value>`. */
export interface Line {
  type: string;
  value: string;
  /** Counted from 1. */
  number: number;
}

/** Why a description is refused. It never leaves this folder: `parse` turns it into its `error`. */
export class SdpError extends Error {
  override readonly name = 'SdpError';
}

// C0 controls and DEL. Line ends are gone when this is asked, so a CR that is left is inside a value.
const isControl = (code: number) => code < 0x20 || code === 0x7f;

/** True when `text` has a character that no line may hold: it could end the line early. */
export function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (isControl(text.charCodeAt(i))) return true;
  }
  return false;
}

/** Splits a description into lines, which end in CRLF or LF (RFC 8866 5). Empty lines are skipped. */
export function splitLines(text: string): Line[] {
  if (Buffer.byteLength(text) > limits.textBytes) throw new SdpError(`text longer than ${limits.textBytes} bytes`);
  const lines: Line[] = [];
  let number = 0;
  for (const raw of text.split('\n')) {
    number++;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') continue;
    if (line.length > limits.lineLength) {
      throw new SdpError(`line ${number}: longer than ${limits.lineLength} characters`);
    }
    if (hasControl(line)) throw new SdpError(`line ${number}: control character`);
    if (line[1] !== '=') throw new SdpError(`line ${number}: expected <type>=<value>`);
    lines.push({ type: line[0]!, value: line.slice(2), number });
  }
  return lines;
}

/** Appends to a list of limited length. */
export function append<T>(list: T[], item: T, limit: number, what: string): void {
  if (list.length >= limit) throw new SdpError(`more than ${limit} ${what}`);
  list.push(item);
}

/** A decimal integer without sign between `min` and `max`. */
export function integer(text: string | undefined, min: number, max: number, what: string): number {
  const value = text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new SdpError(`${what} is not an integer from ${min} to ${max}`);
  return value;
}

/** The groups of a pattern that the whole of `text` must match; `form` says what was expected. */
export function match(text: string, pattern: RegExp, form: string): RegExpExecArray {
  const found = pattern.exec(text);
  if (found === null) throw new SdpError(`expected ${form}`);
  return found;
}

/** Splits at single spaces; a value of nothing but spaces gives none. */
export const words = (text: string) => text.split(' ').filter((word) => word !== '');
