import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folderSink } from './folder-sink.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'footlights-folder-sink-'));
  await mkdir(join(root, 'recordings'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const never = new AbortController().signal;

const write = (key: string, text: string, bucket = 'recordings', signal = never) =>
  folderSink({ root, bucket }).write(key, Buffer.from(text), 'text/plain', signal);

describe('a bucket that is a folder', () => {
  it('holds objects as files, each replaced as a whole, nothing beside them', async () => {
    await write('a/b/media.m3u8', 'first, and longer');
    await write('a/b/media.m3u8', 'second');
    expect(await readFile(join(root, 'recordings/a/b/media.m3u8'), 'utf8')).toBe('second');
    expect(await readdir(join(root, 'recordings/a/b'))).toEqual(['media.m3u8']);
  });

  it.each(['../other/a', 'a/../../other', '..', '/../../etc/a', ''])(
    'refuses the key %j, which leaves it',
    async (key) => {
      await mkdir(join(root, 'other'));
      await expect(write(key, 'a')).rejects.toMatchObject({ code: 'AccessDeniedException' });
      expect(await readdir(join(root, 'other'))).toEqual([]);
    },
  );

  it('keeps what it has when a write is called off', async () => {
    await write('a', 'old');
    await expect(write('a', 'late', 'recordings', AbortSignal.abort())).rejects.toThrow('aborted');
    expect(await readFile(join(root, 'recordings/a'), 'utf8')).toBe('old');
    expect(await readdir(join(root, 'recordings'))).toEqual(['a']);
  });

  it.runIf(process.getuid?.() === 0)('says when there is no room, or no leave, in it', async () => {
    const folder = join(root, 'recordings');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'footlights-test', folder]);
    try {
      await write('a', 'a');
      await expect(write('b', 'b'.repeat(100_000))).rejects.toMatchObject({
        code: 'InternalServerException',
        message: 'bucket recordings has no room left (ENOSPC)',
      });
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      await expect(write('c', 'c')).rejects.toMatchObject({ code: 'AccessDeniedException' });
      expect(await readdir(folder)).toEqual(['a']);
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  it('that is not there is not made', async () => {
    await expect(write('a', 'a', 'missing')).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
      message: 'bucket missing is not there',
    });
    expect(await readdir(root)).toEqual(['recordings']);
  });

  it('tells other errors as they are, and leaves no half file', async () => {
    await writeFile(join(root, 'recordings/file'), 'a');
    await expect(write('file/below', 'b')).rejects.toMatchObject({ code: 'EEXIST' });
    await mkdir(join(root, 'recordings/folder'));
    await expect(write('folder', 'b')).rejects.toMatchObject({
      code: expect.stringMatching(/EISDIR|ENOTEMPTY|EEXIST/),
    });
    expect((await readdir(join(root, 'recordings'))).sort()).toEqual(['file', 'folder']);
  });
});
