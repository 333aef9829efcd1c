import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Fmp4Muxer } from './fmp4.ts';
import { makeVideo, nalUnits, probePackets, run, type VideoStream } from './picture.testing.ts';
import { type AacStream, CLICKS, makeAac } from './sound.testing.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** An hour: times are absolute. */
const BASE = 3_600;
const VIDEO_BASE = BASE * 90_000;
const AUDIO_BASE = BASE * 48_000;
let video: VideoStream;
let audio: AacStream;
beforeAll(() => {
  const options = ['-bf', '0', '-g', '30', '-sc_threshold', '0'];
  video = makeVideo({ codec: 'h264', width: 160, height: 90, frames: 150, rate: 30, options });
  audio = makeAac(CLICKS, 5, 48_000, 2);
});

const openMuxer = () =>
  new Fmp4Muxer({
    video: { avcC: video.configuration, width: 160, height: 90 },
    audio: { audioSpecificConfig: audio.audioSpecificConfig, sampleRate: 48_000, channels: 2 },
  });

/** Writes both tracks as they would arrive and cuts at key frames `target` seconds apart. */
function mux(target: number): { init: Buffer; fragments: Buffer[]; muxer: Fmp4Muxer } {
  const muxer = openMuxer();
  const fragments: Buffer[] = [];
  let cutAt = target;
  let nextAudio = 0;
  for (const { data, timestamp, keyFrame } of video.units) {
    const seconds = timestamp / 90_000;
    for (; (nextAudio * 1_024) / 48_000 < seconds; nextAudio++)
      muxer.writeAudio(audio.units[nextAudio] ?? Buffer.alloc(0), AUDIO_BASE + nextAudio * 1_024);
    const time = VIDEO_BASE + timestamp;
    if (keyFrame && seconds >= cutAt) {
      fragments.push(muxer.cut(time));
      cutAt += target;
    }
    muxer.writeVideo({ unit: data, decodedAt: time, presentedAt: time, keyFrame });
  }
  fragments.push(muxer.cut(VIDEO_BASE + 150 * 3_000));
  muxer.close();
  return { init: muxer.init, fragments, muxer };
}

function inFile<T>(bytes: Buffer, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'footlights-fmp4-'));
  try {
    const file = join(folder, 'a.mp4');
    writeFileSync(file, bytes);
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Names of the boxes at the top level (ISO/IEC 14496-12 section 4.2). */
function boxes(bytes: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at))
    names.push(bytes.toString('latin1', at + 4, at + 8));
  return names;
}

/** The base decoding time of each track in a fragment (section 8.8.12), which FFmpeg writes with 64 bits. */
function decodeTimes(fragment: Buffer): number[] {
  const times: number[] = [];
  for (let at = fragment.indexOf('tfdt'); at >= 0; at = fragment.indexOf('tfdt', at + 4))
    times.push(fragment[at + 4] === 1 ? Number(fragment.readBigUInt64BE(at + 8)) : fragment.readUInt32BE(at + 8));
  return times;
}

describe('fragmented MP4', () => {
  it('is one init and one fragment for each cut, each with its absolute time', () => {
    const { init, fragments, muxer } = mux(2);
    expect(boxes(init)).toEqual(['ftyp', 'moov']);
    expect(fragments).toHaveLength(3);
    for (const fragment of fragments)
      expect(boxes(fragment).filter((name) => name === 'moof' || name === 'mdat')).toEqual(['moof', 'mdat']);
    expect(fragments.map((fragment) => decodeTimes(fragment)[0])).toEqual(
      [0, 2, 4].map((s) => VIDEO_BASE + s * 90_000),
    );
    expect(decodeTimes(fragments[0] ?? Buffer.alloc(0))[1]).toBe(AUDIO_BASE);
    expect(muxer.refused).toBe(0);
  });

  it('holds every sample at its time, and decodes without a complaint', () => {
    const { init, fragments } = mux(1);
    inFile(Buffer.concat([init, ...fragments]), (file) => {
      const packets = probePackets(file);
      const pictures = packets.filter(({ stream }) => stream === 0);
      expect(pictures.map(({ pts }) => pts)).toEqual(video.units.map(({ timestamp }) => VIDEO_BASE + timestamp));
      expect(pictures.every(({ duration }) => duration === 3_000)).toBe(true);
      const sound = packets.filter(({ stream }) => stream === 1);
      expect(sound.map(({ pts }) => pts)).toEqual(sound.map((_, i) => AUDIO_BASE + i * 1_024));
      expect(run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']).toString()).toBe('');
    });
  });

  it('keeps the elementary stream as it was', () => {
    const { init, fragments } = mux(2);
    inFile(Buffer.concat([init, ...fragments]), (file) => {
      const annexB = run('ffmpeg', ['-v', 'error', '-i', file, '-map', '0:v', '-c', 'copy', '-f', 'h264', '-']);
      for (const nal of video.units.flatMap(({ data }) => nalUnits(data))) expect(annexB.includes(nal)).toBe(true);
    });
  });

  it('is the same whatever was written before', () => {
    const [first, second] = [mux(1), mux(1)];
    expect(second.init.equals(first.init)).toBe(true);
    expect(
      second.fragments.map((fragment, index) => fragment.equals(first.fragments[index] ?? Buffer.alloc(0))),
    ).toEqual(first.fragments.map(() => true));
  });

  it('may have one track alone, and nothing to cut', () => {
    const sound = new Fmp4Muxer({
      audio: { audioSpecificConfig: audio.audioSpecificConfig, sampleRate: 48_000, channels: 2 },
    });
    expect(sound.cut(0)).toHaveLength(0);
    sound.writeAudio(audio.units[0] ?? Buffer.alloc(0), 0);
    expect(boxes(sound.cut(0)).at(-1)).toBe('mdat');
    sound.close();
    sound.close();
  });

  it('leaves out what does not go on in time', () => {
    const muxer = openMuxer();
    const unit = video.units[0]?.data ?? Buffer.alloc(0);
    for (const decodedAt of [1_000, 4_000, 4_000, 500, 7_000])
      muxer.writeVideo({ unit, decodedAt, presentedAt: decodedAt, keyFrame: true });
    const aac = audio.units[0] ?? Buffer.alloc(0);
    for (const timestamp of [0, 1_024, 1_024, 512, 2_048]) muxer.writeAudio(aac, timestamp);
    expect(muxer.refused).toBe(4);
    const fragment = muxer.cut(10_000);
    inFile(Buffer.concat([muxer.init, fragment]), (file) => {
      const packets = probePackets(file);
      expect(packets.filter(({ stream }) => stream === 0).map(({ dts }) => dts)).toEqual([1_000, 4_000, 7_000]);
      expect(packets.filter(({ stream }) => stream === 1).map(({ dts }) => dts)).toEqual([0, 1_024, 2_048]);
    });
    muxer.close();
  });

  it('takes an empty or broken avcC without an end of the process', () => {
    for (const avcC of [Buffer.alloc(0), Buffer.from([1, 2, 3]), Buffer.alloc(40, 0xff)]) {
      let muxer: Fmp4Muxer | undefined;
      try {
        muxer = new Fmp4Muxer({ video: { avcC, width: 160, height: 90 } });
        muxer.writeVideo({ unit: Buffer.alloc(50, 7), decodedAt: 0, presentedAt: 0, keyFrame: true });
        muxer.cut(3_000);
      } catch (error) {
        expect(error).toHaveProperty('message');
      }
      muxer?.close();
    }
  });

  it('frees what it took', async () => {
    const round = async () => {
      const muxer = openMuxer();
      for (const { data, timestamp, keyFrame } of video.units.slice(0, 31))
        muxer.writeVideo({ unit: data, decodedAt: timestamp, presentedAt: timestamp, keyFrame });
      muxer.cut(93_000);
      muxer.close();
      await setImmediate();
    };
    for (let i = 0; i < 400; i++) await round();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 1_000; i++) await round();
    expect(process.memoryUsage.rss() - before).toBeLessThan(20e6);
  });
});
