// Makes the bitstreams of packages/protocol/src/video/testdata: Debian's ffmpeg encodes them and sends them as RTP to a free loopback
// port; ffprobe tells what is in them. One file has the packets, each behind its length of 16 bits, one the truth as JSON.
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './setup.mjs';

const target = join(root, 'packages/protocol/src/video/testdata');
const x264 = (profile, options) => ['-c:v', 'libx264', '-profile:v', profile, '-crf', '36', '-x264-params', options];
const vectors = {
  'h264-baseline': { size: '162x122', encode: x264('baseline', 'keyint=10:slice-max-size=400') },
  'h264-main-b': { size: '322x182', encode: x264('main', 'keyint=12:bframes=3:b-adapt=0:b-pyramid=none:scenecut=0') },
  'h264-high': { size: '638x362', encode: x264('high', 'keyint=10:bframes=0:cqm=jvt') },
  'h264-high-b': { size: '208x118', encode: x264('high', 'keyint=12:bframes=3:b-adapt=0:b-pyramid=normal:scenecut=0') },
  vp8: { size: '175x143', encode: ['-c:v', 'libvpx', '-g', '10', '-b:v', '100k', '-deadline', 'realtime'] },
  vp9: { size: '175x143', encode: ['-c:v', 'libvpx-vp9', '-g', '10', '-b:v', '100k', '-deadline', 'realtime'] },
};

function check(done) {
  if (done.status === 0) return done.stdout;
  throw new Error(`ffmpeg failed: ${done.stderr}`);
}

const quiet = ['-hide_banner', '-v', 'error', '-y'];

function encode(file, { size, encode }) {
  const [width, height] = size.split('x');
  const source = `testsrc2=s=${Number(width) + 2}x${Number(height) + 2}:r=30,crop=${width}:${height}:exact=1`;
  const input = ['-f', 'lavfi', '-i', `${source},format=yuv444p,crop=${width}:${height}:exact=1,format=yuv420p`];
  check(spawnSync('ffmpeg', [...quiet, ...input, '-frames:v', '24', ...encode, file]));
}

/** What ffprobe says of the stream and of each frame in the order of presentation. */
function probe(file) {
  const entries = 'stream=width,height,profile:frame=pts,key_frame,pict_type';
  const args = ['-v', 'error', '-show_entries', entries, '-show_frames', '-of', 'json', file];
  const { streams, frames } = JSON.parse(check(spawnSync('ffprobe', args)));
  const [{ width, height, profile }] = streams;
  const told = ({ pts, key_frame, pict_type }) => ({ milliseconds: pts, key: key_frame === 1, type: pict_type });
  return { width, height, profile, frames: frames.map(told) };
}

async function socket() {
  const bound = createSocket('udp4').bind(0, '127.0.0.1');
  await once(bound, 'listening');
  return bound;
}

async function send(file) {
  const [rtp, rtcp] = [await socket(), await socket()];
  const packets = [];
  rtp.on('message', (packet) => packets.push(packet));
  const url = `rtp://127.0.0.1:${rtp.address().port}?rtcpport=${rtcp.address().port}&pkt_size=500`;
  const bitexact = [
    '-fflags',
    '+bitexact',
    '-flags',
    '+bitexact',
    '-ssrc',
    '1',
    '-seq',
    '1',
    '-strict',
    'experimental',
  ];
  const filter = file.includes('h264') ? ['-bsf:v', 'h264_mp4toannexb'] : [];
  const args = [...quiet, '-re', '-i', file, '-c', 'copy', ...filter, ...bitexact, '-f', 'rtp', url];
  const [status] = await once(spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit');
  if (status !== 0) throw new Error(`ffmpeg failed: ${status}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  rtp.close();
  rtcp.close();
  return packets;
}

function framed(packets) {
  return Buffer.concat(
    packets.flatMap((packet) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(packet.length);
      return [length, packet];
    }),
  );
}

const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
for (const [name, vector] of Object.entries(vectors)) {
  const file = join(folder, `${name}.mkv`);
  encode(file, vector);
  const packets = await send(file);
  writeFileSync(join(target, `${name}.rtp`), framed(packets));
  writeFileSync(join(target, `${name}.json`), `${JSON.stringify(probe(file))}\n`);
  console.log(`${name}: ${packets.length} packets`);
}
rmSync(folder, { recursive: true });
