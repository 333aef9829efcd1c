// CPU of receiving RTMP: encoders in a process of their own send H.264 and AAC over loopback, the listener here parses them to frames
// and drops those. Prints one line per case; a core is 100 %.
import { type ChildProcess, fork } from 'node:child_process';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { makeCertificate, startRtmpListener } from '@footlights/media';
import { flv, rtmp } from '@footlights/protocol';

const CASES: Case[] = [
  { publishers: 0, idle: 100, kbps: 0, secure: false },
  { publishers: 1, idle: 0, kbps: 6_000, secure: false },
  { publishers: 50, idle: 0, kbps: 2_500, secure: false },
  { publishers: 50, idle: 0, kbps: 2_500, secure: true },
];
const WARM_UP_MS = 1_500;
const MEASURE_MS = 5_000;
const FRAMES_PER_SECOND = 30;
/** One audio frame with each video frame: some 128 kbit/s. */
const AUDIO_BYTES = 530;
const CHUNK_SIZE = 4_096;

interface Case {
  publishers: number;
  /** Connections whose stream was granted, and which send nothing. */
  idle: number;
  kbps: number;
  secure: boolean;
}

if (process.send) process.on('message', (order: Case & { port: number }) => encode(order));
else await receive();

async function receive(): Promise<void> {
  const { certificatePem: cert, keyPem: key } = makeCertificate(new Date(), ['127.0.0.1']);
  console.log('publishers   idle  kbit/s each  over    frames/s   Mbit/s in  CPU %   us CPU/frame');
  for (const each of CASES) {
    let frames = 0;
    const count = () => {
      frames++;
    };
    const listener = await startRtmpListener({
      host: '127.0.0.1',
      port: 0,
      ...(each.secure && { tls: { cert, key } }),
      codecs: { videoCodecs: ['avc1'], audioCodecs: ['mp4a'] },
      limits: { connectionsPerAddress: 1_000, idleTimeoutMs: 60_000 },
      log: { warn: (_, message) => console.error(message) },
      onSession: (session) => {
        session.accept();
        const publish = () => session.accept();
        return { publish, metadata() {}, audio: count, video: count, unpublish() {}, closed() {} };
      },
    });
    const encoders = fork(fileURLToPath(import.meta.url), [], { stdio: 'inherit' });
    encoders.send({ ...each, port: listener.port });
    await until(() => listener.open().admitted === each.publishers + each.idle);
    await sleep(WARM_UP_MS);
    const before = { cpu: process.cpuUsage(), frames, bytes: listener.counters.bytesReceived, at: performance.now() };
    await sleep(MEASURE_MS);
    const seconds = (performance.now() - before.at) / 1e3;
    const { user, system } = process.cpuUsage(before.cpu);
    const perSecond = (frames - before.frames) / seconds;
    const mbps = ((listener.counters.bytesReceived - before.bytes) * 8) / seconds / 1e6;
    const cpu = (user + system) / seconds;
    console.log(
      `${pad(each.publishers, 10)}${pad(each.idle, 7)}${pad(each.kbps, 13)}  ${each.secure ? 'rtmps' : 'rtmp '}${pad(perSecond, 11)}` +
        `${pad(mbps, 12, 1)}${pad(cpu / 1e4, 7, 1)}${pad(perSecond > 0 ? cpu / perSecond : 0, 15, 1)}`,
    );
    await end(encoders);
    await listener.close();
  }
}

function pad(value: number, width: number, digits = 0): string {
  return value.toFixed(digits).padStart(width);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** The encoders of one case; frames of all leave at their own times within the frame's interval. */
function encode({ publishers, idle, kbps, secure, port }: Case & { port: number }): void {
  for (let i = 0; i < idle; i++) encoder(port, secure, () => {});
  const bytes = Math.max(1, (kbps * 1e3) / 8 / FRAMES_PER_SECOND - AUDIO_BYTES);
  const key = flv.writeAvc('frame', Buffer.alloc(bytes, 0x65), true);
  const delta = flv.writeAvc('frame', Buffer.alloc(bytes, 0x41), false);
  const audio = flv.writeAac('frame', Buffer.alloc(AUDIO_BYTES, 0x21));
  for (let i = 0; i < publishers; i++) {
    encoder(port, secure, (client) => {
      let frame = 0;
      client.video(0, flv.writeAvc('config', Buffer.alloc(40), true));
      client.audio(0, flv.writeAac('config', Buffer.of(0x11, 0x90)));
      const began = performance.now() + (i / publishers) * (1e3 / FRAMES_PER_SECOND);
      setInterval(() => {
        while (began + (frame * 1e3) / FRAMES_PER_SECOND <= performance.now()) {
          const time = Math.round((frame * 1e3) / FRAMES_PER_SECOND);
          client.audio(time, audio);
          client.video(time, frame % 60 === 0 ? key : delta);
          frame++;
        }
      }, 5);
    });
  }
}

function encoder(port: number, secure: boolean, begin: (client: rtmp.RtmpClientSession) => void): void {
  const address = { host: '127.0.0.1', port };
  const socket = secure ? connectTls({ ...address, rejectUnauthorized: false }) : connectTcp(address);
  const client: rtmp.RtmpClientSession = new rtmp.RtmpClientSession(
    {
      send: (bytes) => socket.write(bytes),
      publishing: () => begin(client),
      refused: (code, description) => console.error(code, description),
      status: () => {},
      malformed: (description) => console.error(description),
    },
    {
      app: 'app',
      tcUrl: 'rtmp://127.0.0.1/app',
      streamKey: 'key',
      handshake: 'simple',
      chunkSize: CHUNK_SIZE,
    },
  );
  socket.on('data', (bytes) => client.receive(bytes));
  client.start();
}
