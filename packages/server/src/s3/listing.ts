import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lookAt, type ObjectFacts, partialEnding } from './objects.ts';

/** Where a listing goes on: behind a key, or behind all keys that begin with a prefix. */
export type Position = { key: string } | { prefix: string };

export interface ListRequest {
  prefix: string;
  delimiter: string;
  after: Position;
  /** Keys and common prefixes together. */
  maxKeys: number;
}

export interface Listing {
  objects: ({ key: string } & ObjectFacts)[];
  commonPrefixes: string[];
  /** Absent: this is all. */
  next?: Position;
}

/** One page of a bucket's keys in the order of their UTF-8, those with a common prefix as that prefix. */
export async function listObjects(folder: string, request: ListRequest): Promise<Listing> {
  const { prefix, delimiter, maxKeys } = request;
  const walk = new Walk(folder, prefix);
  const page: Listing = { objects: [], commonPrefixes: [] };
  let position = request.after;
  const isFull = () => page.objects.length + page.commonPrefixes.length >= maxKeys;
  while (maxKeys > 0) {
    const key = await walk.next(position);
    if (key === undefined) return page;
    if (isFull()) return { ...page, next: position };
    const common = commonPrefix(key, prefix, delimiter);
    position = common === undefined ? { key } : { prefix: common };
    if (common !== undefined) page.commonPrefixes.push(common);
    const facts = common === undefined ? await lookAt(folder, key) : undefined;
    if (facts) page.objects.push({ key, ...facts });
  }
  return page;
}

/** The key up to the first delimiter after the prefix, with it. */
function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** Files and folders; a folder's name ends in a slash, and so sorts as its keys do. */
type Names = readonly string[];

/** Finds keys that begin with a prefix, in their order, going into no folder that cannot hold the next one. */
class Walk {
  readonly #folder: string;
  readonly #prefix: string;
  /** Folders that were read: the next key is mostly in one of them. */
  readonly #read = new Map<string, Names>();

  constructor(folder: string, prefix: string) {
    this.#folder = folder;
    this.#prefix = prefix;
  }

  /** The first key behind the position. */
  next(after: Position): Promise<string | undefined> {
    return this.#firstIn('', after);
  }

  async #firstIn(path: string, after: Position): Promise<string | undefined> {
    const names = await this.#names(path);
    const start = Math.max(firstAt(names, path, textOf(after)), firstAt(names, path, this.#prefix));
    for (let at = start; at < names.length; at += 1) {
      const name = names[at] ?? '';
      const key = path + name;
      if (!name.endsWith('/')) {
        if (!key.startsWith(this.#prefix)) return undefined;
        if (isBehind(key, after)) return key;
      } else if (this.#mayHold(key, after)) {
        const found = await this.#firstIn(key, after);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** Whether keys that begin with the path of a folder may have the prefix and be behind the position. */
  #mayHold(path: string, after: Position): boolean {
    if (!path.startsWith(this.#prefix) && !this.#prefix.startsWith(path)) return false;
    if (isBehind(path, after)) return true;
    return textOf(after).startsWith(path) && !('prefix' in after && after.prefix === path);
  }

  async #names(path: string): Promise<Names> {
    const known = this.#read.get(path);
    if (known) return known;
    const entries = await readdir(join(this.#folder, path), { withFileTypes: true }).catch(() => []);
    const names = entries.flatMap((entry) => {
      if (entry.isDirectory()) return [`${entry.name}/`];
      return entry.isFile() && !entry.name.endsWith(partialEnding) ? [entry.name] : [];
    });
    names.sort(compareKeys);
    this.#read.set(path, names);
    return names;
  }
}

const textOf = (position: Position): string => ('key' in position ? position.key : position.prefix);

/** Where in the names of a folder the text is, or the folder that would hold it. */
function firstAt(names: Names, path: string, text: string): number {
  if (!text.startsWith(path)) return 0;
  const wanted = /^[^/]*\/?/.exec(text.slice(path.length))?.[0] ?? '';
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(names[middle] ?? '', wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBehind(key: string, after: Position): boolean {
  if ('key' in after) return compareKeys(key, after.key) > 0;
  return compareKeys(key, after.prefix) > 0 && !key.startsWith(after.prefix);
}

/** The order of their UTF-8, which is that of JavaScript but for what lies beyond the first 65,536 characters. */
function compareKeys(a: string, b: string): number {
  if (/[\ud800-\udfff]/.test(a) || /[\ud800-\udfff]/.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
