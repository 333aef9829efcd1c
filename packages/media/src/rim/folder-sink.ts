import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { type Sink, SinkError } from '../record/sink.ts';

/** Objects as files below `<root>/<bucket>`, each replaced as a whole. The bucket must be there; keys never leave it. */
export function folderSink({ root, bucket }: { root: string; bucket: string }): Sink {
  const folder = resolve(root, bucket);
  return {
    async write(key, body, _contentType, signal) {
      const path = resolve(join(folder, key));
      if (!path.startsWith(folder + sep)) throw new SinkError('AccessDeniedException', `key ${key} leaves its bucket`);
      try {
        await stat(folder);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await replace(path, body, signal);
      } catch (error) {
        throw told(error, bucket);
      }
    },
  };
}

/** After a crash the file is the old one or the new one. */
async function replace(path: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(body);
      await file.datasync();
    } finally {
      await file.close();
    }
    signal.throwIfAborted();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function told(error: unknown, bucket: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new SinkError('ResourceNotFoundException', `bucket ${bucket} is not there`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new SinkError('AccessDeniedException', `bucket ${bucket} cannot be written to`);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new SinkError('InternalServerException', `bucket ${bucket} has no room left (${code})`);
  return error;
}
