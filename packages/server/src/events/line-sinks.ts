import { write } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { StoredEvent } from '../store/types.ts';
import type { EventSink } from './sink.ts';

const lineOf = ({ event }: StoredEvent): Buffer => Buffer.from(`${JSON.stringify(event)}\n`);

/** Events as lines of JSON at the end of a file. It is opened for each: whoever rotates it need tell nobody. */
export class FileSink implements EventSink {
  readonly name = 'file';
  readonly parallel = 1;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The line is on the disk when this resolves. */
  async deliver(event: StoredEvent): Promise<void> {
    const file = await open(this.#path, 'a+', 0o600);
    try {
      const line = lineOf(event);
      await file.appendFile((await endsInLine(file)) ? line : Buffer.concat([Buffer.from('\n'), line]));
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

/** False when a crash, or a full disk, left half a line. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const stat = await file.stat();
  if (!stat.isFile() || stat.size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, stat.size - 1);
  return buffer[0] === 0x0a;
}

const writeTo = promisify(write);
/** How long to wait for whoever reads the standard output. */
const fullPipeMs = 50;

/** Events as lines of JSON on the standard output, between the lines of the log. A reader that is slow delays only them. */
export class StdoutSink implements EventSink {
  readonly name = 'stdout';
  readonly parallel = 1;

  async deliver(event: StoredEvent, signal: AbortSignal): Promise<void> {
    let rest = lineOf(event);
    while (rest.length > 0) {
      signal.throwIfAborted();
      rest = rest.subarray(await writeSome(rest));
    }
  }
}

async function writeSome(bytes: Buffer): Promise<number> {
  try {
    return (await writeTo(1, bytes)).bytesWritten;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    await sleep(fullPipeMs);
    return 0;
  }
}
