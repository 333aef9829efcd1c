// FFmpeg jobs of recordings and of encoders' streams: processor time for a second of media, and the longest single call, which is how long a process's
// event loop waits. Needs the ffmpeg program, which makes the media. Run: npm run bench -- av-jobs.
import { spawnSync } from 'node:child_process';
import { AAC_FRAME, AacToOpus, Fmp4Muxer, OpusToAac, thumbnail, VideoToH264 } from '@footlights/media/av';

const seconds = 20;
const rate = 30;

function ffmpeg(args: string[]): Buffer {
  const done = spawnSync('ffmpeg', ['-v', 'error', ...args, '-'], { maxBuffer: 1 << 30 });
  if (done.status !== 0) throw new Error(`ffmpeg is needed to make media: ${done.error?.message ?? done.stderr}`);
  return done.stdout;
}

/** Access units in Annex B, each of which begins with a delimiter. */
function makeH264(width: number, height: number, options: string[]): Buffer[] {
  const source = `testsrc2=s=${width}x${height}:r=${rate}:d=${seconds},noise=alls=8:allf=t`;
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '60', '-x264-params', 'aud=1', ...options];
  const stream = ffmpeg(['-f', 'lavfi', '-i', source, ...encoder, '-pix_fmt', 'yuv420p', '-f', 'h264']);
  const delimiter = Buffer.from([0, 0, 0, 1, 9]);
  const units: Buffer[] = [];
  for (let at = 0; at >= 0 && at < stream.length; ) {
    const next = stream.indexOf(delimiter, at + 5);
    units.push(stream.subarray(at, next < 0 ? stream.length : next));
    at = next;
  }
  return units;
}

/** The record of the parameter sets in a key frame (ISO/IEC 14496-15 section 5.3.3.1). */
function avcCOf(keyFrame: Buffer): Buffer {
  const nals = keyFrame
    .toString('latin1')
    .split('\u0000\u0000\u0001')
    .map((nal) => Buffer.from(nal, 'latin1'))
    .map((nal) => (nal.at(-1) === 0 ? nal.subarray(0, -1) : nal));
  const [sps, pps] = [7, 8].map((type) => nals.find((nal) => ((nal[0] ?? 0) & 0x1f) === type) ?? Buffer.alloc(4));
  if (!sps || !pps) throw new Error('no parameter sets');
  const length = (nal: Buffer) => Buffer.from([nal.length >> 8, nal.length & 0xff]);
  const head = Buffer.from([1, sps[1] ?? 0, sps[2] ?? 0, sps[3] ?? 0, 0xff, 0xe1]);
  return Buffer.concat([head, length(sps), sps, Buffer.from([1]), length(pps), pps]);
}

/** Raw AAC of 48 kHz stereo. */
function makeAac(): Buffer[] {
  const source = `aevalsrc='0.2*sin(2*PI*t*(200+100*sin(t)))+0.1*(random(0)-0.5)|0.2*sin(3*PI*t*300)':s=48000:d=${seconds}`;
  const adts = ffmpeg(['-f', 'lavfi', '-i', source, '-c:a', 'aac', '-b:a', '128k', '-f', 'adts']);
  const units: Buffer[] = [];
  for (let at = 0; at + 7 <= adts.length; ) {
    const length = (adts.readUInt32BE(at + 2) >> 5) & 0x1fff;
    units.push(adts.subarray(at + 7, at + length));
    at += length;
  }
  return units;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Calls `step` with each item; prints what it took for a second of media. */
function measure<T>(name: string, items: readonly T[], step: (item: T, index: number) => void): void {
  const times: number[] = [];
  const before = cpuMs();
  for (const [index, item] of items.entries()) {
    const start = performance.now();
    step(item, index);
    times.push(performance.now() - start);
  }
  const cost = (cpuMs() - before) / seconds;
  times.sort((a, b) => a - b);
  const at = (share: number) => `${(times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(1)} ms`;
  const columns = [cost.toFixed(1), `${(cost / 10).toFixed(1)} %`, at(0.5), at(0.99), at(1)];
  console.log(name.padEnd(46), ...columns.map((column) => column.padStart(10)));
}

const aac = makeAac();
const audioSpecificConfig = Buffer.from([0x11, 0x90]);
const opus: { packet: Buffer; timestamp: number }[] = [];
const hd = makeH264(1_280, 720, ['-b:v', '2500k', '-bf', '0']);
const fullHd = makeH264(1_920, 1_080, ['-b:v', '6000k', '-bf', '0']);

console.log('job                                              CPU ms/s  of a core   call p50        p99        max');
const toOpus = new AacToOpus({ audioSpecificConfig, bitrate: 96_000 }, (packet, timestamp) =>
  opus.push({ packet, timestamp }),
);
measure('AAC to Opus, 48 kHz stereo', aac, (unit, index) => toOpus.push(unit, index * AAC_FRAME));
toOpus.close();

const toAac = new OpusToAac({ bitrate: 128_000, lookAhead: 0 }, () => {});
measure('Opus to AAC, 48 kHz stereo', opus, ({ packet, timestamp }) => toAac.push(packet, timestamp));
toAac.close();

const muxer = new Fmp4Muxer({
  video: { avcC: avcCOf(hd[0] ?? Buffer.alloc(0)), width: 1_280, height: 720 },
  audio: { audioSpecificConfig, sampleRate: 48_000, channels: 2 },
});
let nextAudio = 0;
measure('fragmented MP4, 720p30 and AAC, cut every 4 s', hd, (unit, index) => {
  for (; (nextAudio * AAC_FRAME) / 48_000 < index / rate && nextAudio < aac.length; nextAudio++)
    muxer.writeAudio(aac[nextAudio] ?? Buffer.alloc(0), nextAudio * AAC_FRAME);
  const time = (index * 90_000) / rate;
  if (index > 0 && index % (4 * rate) === 0) muxer.cut(time);
  muxer.writeVideo({ unit, decodedAt: time, presentedAt: time, keyFrame: index % 60 === 0 });
});
muxer.close();

const keyFrames = hd.filter((_, index) => index % 60 === 0);
measure('thumbnail of 720p every 2 s', keyFrames, (unit) => {
  if (!thumbnail(unit, { codec: 'h264' })) throw new Error('no thumbnail');
});

for (const preset of ['ultrafast', 'superfast', 'veryfast'] as const)
  for (const [name, units] of [
    ['720p30', hd],
    ['1080p30', fullHd],
  ] as const) {
    const video = new VideoToH264({ codec: 'h264', bitrate: 2_500_000, preset }, () => {});
    measure(`${name} to 720p30, ${preset}`, units, (unit, index) => video.push(unit, index * 3_000));
    video.close();
  }
process.exit(0);
