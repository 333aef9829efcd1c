import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { folderSink } from '../rim/folder-sink.ts';
import { Spool } from '../rim/spool.ts';
import type { RecordingOptions } from './options.ts';
import { PlaylistFiles } from './playlist-files.ts';
import { SinkError } from './sink.ts';
import { StoreQueue } from './store-queue.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'footlights-playlist-files-'));
  mkdirSync(join(root, 'recordings'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Files in a bucket that refuses the keys that match `refused.keys`. */
function openFiles(more: Partial<RecordingOptions> = {}) {
  const options: RecordingOptions = {
    ...{ id: 'r1', stageArn: 'arn', sessionId: 'st-1', participantId: 'p', prefix: 'x', startedAtMs: 0 },
    ...{
      sink: { type: 'folder', root, bucket: 'recordings' },
      media: 'AUDIO_VIDEO',
      targetSegmentSeconds: 2,
      transcode: true,
    },
    journalPath: join(root, 'r1.jsonl'),
    ...more,
  };
  const folder = folderSink({ root, bucket: 'recordings' });
  const refused: { keys?: RegExp } = {};
  const sink = {
    write: async (key: string, body: Uint8Array, type: string, signal: AbortSignal) => {
      if (refused.keys?.test(key)) throw new SinkError('InternalServerException', 'refused');
      await folder.write(key, body, type, signal);
    },
  };
  const store = new StoreQueue(sink, new Spool(0).folder(join(root, 'spool')), () => {});
  const files = new PlaylistFiles(options, store, () => {});
  const segment = (index: number) =>
    files.segment({ body: Buffer.from(`${index}`), startedAtMs: index * 2_000, durationMs: 2_000 });
  return { files, refused, segment };
}

const format = { init: Buffer.from('init'), codecs: ['avc1.42e01f'], width: 640, height: 360 };
const text = (name: string) => readFileSync(join(root, 'recordings/x/media', name), 'utf8');
const playlist = () => text('hls/high/playlist.m3u8').split('\n');
const listed = () => playlist().filter((line) => line.endsWith('.mp4'));

describe('the files of a recording', () => {
  it('are listed in order once they are stored, and closed at the end', async () => {
    const { files, segment } = openFiles();
    const started = files.format(format);
    for (const index of [0, 1, 2]) segment(index);
    expect(await started).toBe(true);
    await vi.waitFor(() => expect(listed()).toEqual(['0.mp4', '1.mp4', '2.mp4']));
    expect(playlist()).not.toContain('#EXT-X-ENDLIST');
    expect(await files.end()).toBe(true);
    expect(playlist()).toContain('#EXT-X-ENDLIST');
    expect(playlist()).not.toContain('#EXT-X-DISCONTINUITY');
    expect(files.durationMs).toBe(6_000);
    expect(text('hls/multivariant.m3u8')).toContain('RESOLUTION=640x360');
  });

  it('go on with a discontinuity after one that is left out', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { files, refused, segment } = openFiles();
    refused.keys = /high\/1\.mp4$/;
    await files.format(format);
    for (const index of [0, 1, 2]) segment(index);
    const ended = files.end();
    const passing = setInterval(() => vi.advanceTimersByTime(1_000), 5);
    expect(await ended).toBe(true);
    clearInterval(passing);
    vi.useRealTimers();
    expect(files.lost).toBe(1);
    expect(listed()).toEqual(['0.mp4', '2.mp4']);
    const lines = playlist();
    expect(lines.indexOf('#EXT-X-DISCONTINUITY')).toBeGreaterThan(lines.indexOf('0.mp4'));
    expect(lines.indexOf('#EXT-X-DISCONTINUITY')).toBeLessThan(lines.indexOf('2.mp4'));
  });

  it('list no segment whose init segment is missing, which is offered again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { files, refused, segment } = openFiles();
    refused.keys = /init-0/;
    const started = files.format(format);
    const passing = setInterval(() => vi.advanceTimersByTime(1_000), 5);
    expect(await started).toBe(false);
    segment(0);
    await vi.waitFor(() => expect(files.lost).toBe(1));
    refused.keys = /^$/;
    segment(1);
    await files.end();
    clearInterval(passing);
    vi.useRealTimers();
    expect(listed()).toEqual(['1.mp4']);
    expect(text('hls/high/init-0.mp4')).toBe('init');
  });

  it('are taken up by the next process where the last one left them', async () => {
    const first = openFiles({ thumbnails: { intervalSeconds: 1, sequential: true, latest: true } });
    await first.files.format(format);
    first.segment(0);
    expect(await first.files.thumbnail(Buffer.from('one'))).toBe(true);
    await first.files.end();
    const { files, segment } = openFiles({ thumbnails: { intervalSeconds: 1, sequential: true, latest: true } });
    expect([files.isEmpty, files.durationMs, files.originMs]).toEqual([false, 2_000, 0]);
    await files.format(format);
    segment(5);
    await files.thumbnail(Buffer.from('two'));
    await files.end();
    expect(listed()).toEqual(['0.mp4', '1.mp4']);
    expect(playlist()).toContain('#EXT-X-DISCONTINUITY');
    expect(playlist()).toContain('#EXT-X-MAP:URI="init-1.mp4"');
    expect(readdirSync(join(root, 'recordings/x/media/thumbnails/high')).sort()).toEqual(['1.jpg', '2.jpg']);
    expect(text('latest_thumbnail/high/thumb.jpg')).toBe('two');
    await files.removeJournal();
    expect(readdirSync(root)).toEqual(['recordings']);
  });

  it('do not need the journal', async () => {
    rmSync(join(root, 'r1.jsonl'), { force: true });
    mkdirSync(join(root, 'r1.jsonl'));
    const complaints: string[] = [];
    expect(() => openFiles()).toThrow('EISDIR');
    rmSync(join(root, 'r1.jsonl'), { recursive: true });
    const { files, segment } = openFiles();
    mkdirSync(join(root, 'r1.jsonl'));
    await files.format(format);
    segment(0);
    await files.end();
    expect(listed()).toEqual(['0.mp4']);
    expect(complaints).toEqual([]);
  });
});
