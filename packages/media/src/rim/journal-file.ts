import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { appendFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file of JSON lines that tells a later process how far an earlier one came. */
export class JournalFile<Entry extends object> {
  /** What an earlier process wrote, the oldest first. */
  readonly entries: Entry[];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.entries = existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .flatMap(parse<Entry>)
      : [];
  }

  async add(entry: Entry): Promise<void> {
    await appendFile(this.#path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

/** A process that dies leaves half a line, which counts for nothing. */
function parse<Entry>(line: string): Entry[] {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? [entry as Entry] : [];
  } catch {
    return [];
  }
}
