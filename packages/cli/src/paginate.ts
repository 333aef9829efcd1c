// Paging of the list operations for which the AWS CLI pages by itself.

import type { Operation } from '@footlights/model';
import type { CommandLine, ControlOption } from './arguments.ts';
import type { Caller } from './call.ts';
import { CliError, exitCodes } from './errors.ts';
import { parseInteger, repr } from './python.ts';

type PagingControl = Extract<ControlOption['control'], 'starting-token' | 'page-size' | 'max-items'>;
const controls: readonly PagingControl[] = ['starting-token', 'page-size', 'max-items'];

/** Where to begin, how large a page is and when to stop. */
export interface Paging {
  resultKey: string;
  pageSize: number | undefined;
  maxItems: number;
  start: Position;
}

/** A service token, and how many items of its page are done with already. */
interface Position {
  token: string | null;
  skip: number;
}

/** How to page this command; undefined means one plain call. */
export function pagingOf(
  operation: Operation,
  line: CommandLine,
  input: Record<string, unknown>,
  wanted: boolean,
): Paging | undefined {
  if (!operation.paginator) return undefined;
  const given = controls.filter((name) => line.controls[name] !== undefined);
  if (!wanted || 'nextToken' in input || 'maxResults' in input) {
    if (given.length === 0) return undefined;
    const names = given.map((name) => `--${name}`).join(', ');
    throw new CliError(exitCodes.usage, `Cannot specify --no-paginate along with pagination arguments: ${names}`);
  }
  const { 'page-size': pageSize, 'max-items': maxItems, 'starting-token': start } = line.controls;
  return {
    resultKey: operation.paginator.resultKey,
    pageSize: pageSize === undefined ? undefined : parseInteger(pageSize),
    maxItems: maxItems === undefined ? Number.POSITIVE_INFINITY : parseInteger(maxItems),
    start: decodePosition(start),
  };
}

/**
 * Calls page by page. Each page is an output as the service sent it, cut where the paging begins and ends. Returns what
 * `--starting-token` takes to go on, when `--max-items` left something out.
 */
export async function* pagesOf(
  call: Caller,
  input: Record<string, unknown>,
  paging: Paging,
): AsyncGenerator<Record<string, unknown>, string | undefined> {
  const { resultKey, pageSize, maxItems } = paging;
  const fixed = pageSize === undefined ? input : { ...input, maxResults: pageSize };
  let { token, skip } = paging.start;
  let previous: string | undefined;
  let room = maxItems;
  for (;;) {
    const page = await call(token === null ? fixed : { ...fixed, nextToken: token });
    const items = itemsOf(page, resultKey).slice(skip);
    if (items.length > room) {
      yield { ...page, [resultKey]: items.slice(0, room) };
      return encodePosition({ nextToken: token, boto_truncate_amount: skip + room });
    }
    yield skip > 0 ? { ...page, [resultKey]: items } : page;
    const next = page.nextToken;
    room -= items.length;
    if (typeof next !== 'string' || next === '') return undefined;
    if (room === 0) return encodePosition({ nextToken: next });
    if (next === previous) throw receivedTwice(next);
    token = previous = next;
    skip = 0;
  }
}

const itemsOf = (page: Record<string, unknown>, key: string): unknown[] => {
  const items = page[key];
  return Array.isArray(items) ? items : [];
};

const receivedTwice = (token: string): CliError =>
  new CliError(
    exitCodes.other,
    `Error during pagination: The same next token was received twice: ${repr({ nextToken: token })}`,
  );

/** The AWS CLI's resume token: Base64 of JSON with Python's spacing; the amount when the cut is within a page. */
function encodePosition(position: { nextToken: string | null; boto_truncate_amount?: number }): string {
  const members = Object.entries(position).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
  return Buffer.from(`{${members.join(', ')}}`).toString('base64');
}

/** Reads a resume token, the old form `token___n`, or the service's own token. */
function decodePosition(text: string | undefined): Position {
  if (text === undefined) return { token: null, skip: 0 };
  const decoded = decodeResumeToken(text);
  if (decoded) return decoded;
  const [, token = text, skip = '0'] = /^(.*)___(\d+)$/s.exec(text) ?? [];
  return { token: token === 'None' || token === '' ? null : token, skip: Number(skip) };
}

function decodeResumeToken(text: string): Position | undefined {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
    if (typeof value !== 'object' || value === null || !('nextToken' in value)) return undefined;
    return { token: value.nextToken, skip: Number(value.boto_truncate_amount ?? 0) };
  } catch {
    return undefined;
  }
}
