import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, realpath } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { isBucketName } from '../buckets.ts';

/** Most bytes of a key, as of S3. */
export const maxKeyBytes = 1024;
/** Files with this ending are being written, and are no objects yet. */
export const partialEnding = '.part';

/** What is known of an object beside its bytes. */
export interface ObjectFacts {
  size: number;
  /** Whole seconds, as HTTP has them. */
  modified: Date;
  /** With its quotes; other for every change of the file. It ends in `-1`: it is not the MD5 of the bytes. */
  etag: string;
}

/** An object that is being read: `file` is to be closed. */
export interface OpenObject extends ObjectFacts {
  file: FileHandle;
  contentType: string;
}

/** The folders of one folder as buckets. Nothing outside of a bucket's folder is reached, not even over a symbolic link. */
export class ObjectFolders {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Names and times of the buckets, in their order. */
  async list(): Promise<{ name: string; created: Date }[]> {
    const entries = await readdir(this.#root, { withFileTypes: true }).catch(() => []);
    const names = entries.filter((entry) => entry.isDirectory() && isBucketName(entry.name)).map(({ name }) => name);
    const times = await Promise.all(names.sort().map((name) => lstat(join(this.#root, name))));
    return names.map((name, i) => ({ name, created: times[i]?.birthtime ?? new Date(0) }));
  }

  /** The bucket's folder, links resolved; undefined when there is none. */
  async find(name: string): Promise<string | undefined> {
    if (!isBucketName(name)) return undefined;
    try {
      const folder = await realpath(join(this.#root, name));
      return (await lstat(folder)).isDirectory() ? folder : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Opens an object of a bucket's folder; undefined when there is none. */
export async function openObject(folder: string, key: string): Promise<OpenObject | undefined> {
  const path = pathOf(folder, key);
  if (path === undefined) return undefined;
  let file: FileHandle | undefined;
  try {
    // A folder on the way that is a link leads elsewhere: then the real path is another one.
    if ((await realpath(path)) !== path) return undefined;
    // Not blocking: a named pipe would wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await file.stat({ bigint: true });
    if (stat.isFile()) return { ...factsOf(stat), file, contentType: contentTypeOf(key) };
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
  await file?.close();
  return undefined;
}

/** Undefined: there is none, or it is no object. */
export async function lookAt(folder: string, key: string): Promise<ObjectFacts | undefined> {
  const path = pathOf(folder, key);
  if (path === undefined) return undefined;
  const stat = await lstat(path, { bigint: true }).catch(() => undefined);
  return stat?.isFile() ? factsOf(stat) : undefined;
}

/** Keys whose segments are no file names are nobody's. */
function pathOf(folder: string, key: string): string | undefined {
  const segments = key.split('/');
  const bad = (segment: string) => segment === '' || segment === '.' || segment === '..' || /[\0\\]/.test(segment);
  if (segments.some(bad) || key.endsWith(partialEnding)) return undefined;
  return join(folder, ...segments);
}

/** There is nothing at the path, or nothing that could be an object. */
function isAbsence(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EISDIR', 'ENXIO'].includes(code);
}

function factsOf({ size, mtimeNs, ino }: BigIntStats): ObjectFacts {
  const hash = createHash('sha256').update(`${ino} ${size} ${mtimeNs}`).digest('hex').slice(0, 32);
  const modified = new Date(Number(mtimeNs / 1_000_000_000n) * 1000);
  return { size: Number(size), modified, etag: `"${hash}-1"` };
}

const contentTypes: Record<string, string> = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mp4': 'video/mp4',
  '.m4s': 'video/iso.segment',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
};

const contentTypeOf = (key: string): string => contentTypes[extname(key).toLowerCase()] ?? 'binary/octet-stream';
