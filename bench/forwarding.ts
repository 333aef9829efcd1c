// Server CPU per forwarded packet: one publisher, many subscribers, the whole path of a media worker. The clients run in
// a process of their own, over real DTLS-SRTP on loopback. Prints one line per case.
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Media, startMedia } from '@footlights/media';
import { rtcp, rtp } from '@footlights/protocol';
import ndc from 'node-datachannel';

const CASES = [
  { subscribers: 50, packetsPerSecond: 300 },
  { subscribers: 100, packetsPerSecond: 300 },
  { subscribers: 50, packetsPerSecond: 1_000 },
  { subscribers: 100, packetsPerSecond: 1_000 },
];
const WARM_UP_MS = 1_500;
const MEASURE_MS = 5_000;
const PACKET_BYTES = 1_100;
const KEY_FRAME_PACKETS = 300;
/** Linux counts CPU time in these. */
const JIFFY_MS = 10;

type PeerConnection = InstanceType<typeof ndc.PeerConnection>;
type Track = InstanceType<typeof ndc.Track>;
type Role = 'publish' | 'subscribe';
/** What the clients' process is told, and what it says: an offer of one of its peers. */
type Order =
  | { type: 'connect'; role: Role; id: string }
  | { type: 'answer'; id: string; sdp: string }
  | { type: 'send'; packetsPerSecond: number };
type Offer = { id: string; sdp: string };

if (process.send) clients();
else await server();

async function server(): Promise<void> {
  const workerPath = resolve(process.env.FOOTLIGHTS_MEDIA_WORKER ?? 'dist/media-worker.mjs');
  console.log('subscribers  packets/s  forwarded/s  us CPU/packet  us user  us system  loop delay ms  dropped');
  for (const { subscribers, packetsPerSecond } of CASES) {
    const silent = { info() {}, warn() {}, error: console.error };
    const media = await startMedia({ workers: 1, listenIp: '127.0.0.1', port: 0, workerPath, log: silent });
    const peers = fork(fileURLToPath(import.meta.url), ['clients'], { stdio: 'inherit' });
    peers.setMaxListeners(0);
    await connect(media, peers, 'publish', 'publisher');
    await Promise.all(
      Array.from({ length: subscribers }, (_, i) => connect(media, peers, 'subscribe', `subscriber-${i}`)),
    );
    peers.send({ type: 'send', packetsPerSecond } satisfies Order);
    console.log(await measure(media, subscribers, packetsPerSecond));
    peers.kill('SIGKILL');
    await media.shutdown();
  }
}

/** Lets the clients' process make one connection, and waits until it stands. */
async function connect(media: Media, peers: ChildProcess, role: Role, id: string): Promise<void> {
  const offered = new Promise<string>((done) => {
    peers.on('message', (offer: Offer) => {
      if (offer.id === id) done(offer.sdp);
    });
  });
  const connected = new Promise<void>((done) => {
    media.on((event) => {
      if (event.type === 'connected' && event.connectionId === id) done();
    });
  });
  peers.send({ type: 'connect', role, id } satisfies Order);
  const { answer } = await media.accept({
    stageId: 'stage',
    connectionId: id,
    participantId: id,
    offer: await offered,
    role,
    ...(role === 'subscribe' && { publisherConnectionId: 'publisher' }),
  });
  peers.send({ type: 'answer', id, sdp: answer } satisfies Order);
  await connected;
}

async function measure(media: Media, subscribers: number, packetsPerSecond: number): Promise<string> {
  await sleep(WARM_UP_MS);
  const before = await sample(media);
  await sleep(MEASURE_MS);
  const after = await sample(media);
  const sent = after.sent - before.sent;
  const micros = (cpuMs: number) => (cpuMs * 1_000) / sent;
  const user = micros(after.userMs - before.userMs);
  const system = micros(after.systemMs - before.systemMs);
  const seconds = (after.at - before.at) / 1_000;
  return [
    String(subscribers).padStart(11),
    String(packetsPerSecond).padStart(10),
    (sent / seconds).toFixed(0).padStart(12),
    (user + system).toFixed(2).padStart(14),
    user.toFixed(2).padStart(8),
    system.toFixed(2).padStart(10),
    String(after.loopDelayMs).padStart(14),
    String(after.dropped - before.dropped).padStart(8),
  ].join(' ');
}

async function sample(media: Media) {
  const [worker] = (await media.statistics()).workers;
  if (!worker) throw new Error('the media worker gave no statistics');
  const fields = readFileSync(`/proc/${worker.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  let sent = 0;
  let dropped = 0;
  for (const connection of worker.connections) {
    sent += connection.packetsSent;
    dropped += connection.droppedByOverload;
  }
  const userMs = Number(fields[11]) * JIFFY_MS;
  const systemMs = Number(fields[12]) * JIFFY_MS;
  return { at: performance.now(), sent, dropped, userMs, systemMs, loopDelayMs: worker.loopDelayMs };
}

/** The other process: peers over node-datachannel that do as they are told. */
function clients(): void {
  const peers = new Map<string, Peer>();
  process.on('disconnect', () => process.exit());
  process.on('message', (order: Order) => {
    if (order.type === 'connect') peers.set(order.id, makePeer(order.role, order.id));
    else if (order.type === 'answer') peers.get(order.id)?.connection.setRemoteDescription(order.sdp, 'answer');
    else publish(peers.get('publisher')?.track, order.packetsPerSecond);
  });
  const alive = rtcp.write([{ type: 'rr', ssrc: 1, reports: [] }]);
  setInterval(() => {
    for (const { track, role } of peers.values())
      if (role === 'subscribe' && track.isOpen()) track.sendMessageBinary(alive);
  }, 1_000);
}

interface Peer {
  connection: PeerConnection;
  track: Track;
  role: Role;
}

function makePeer(role: Role, id: string): Peer {
  const video = new ndc.Video('0', role === 'publish' ? 'SendOnly' : 'RecvOnly');
  video.addVP8Codec(96);
  const connection = new ndc.PeerConnection('bench', { iceServers: [], bindAddress: '127.0.0.1' });
  const track = connection.addTrack(video);
  connection.onLocalDescription((sdp) => process.send?.({ id, sdp } satisfies Offer));
  connection.setLocalDescription('offer');
  return { connection, track, role };
}

/** Sends VP8 that looks real enough to be routed: a key frame now and then. */
function publish(track: Track | undefined, packetsPerSecond: number): void {
  const packet = Buffer.alloc(PACKET_BYTES, 0x55);
  const startedAt = performance.now();
  let count = 0;
  setInterval(() => {
    const due = ((performance.now() - startedAt) * packetsPerSecond) / 1_000;
    for (; count < due; count++) {
      rtp.writeHeader(packet, {
        marker: count % 10 === 9,
        payloadType: 96,
        sequenceNumber: count & 0xffff,
        timestamp: Math.floor(count / 10) * 3_000,
        ssrc: 1,
      });
      // VP8 payload descriptor: start of partition 0; then the frame's first byte: 0 for a key frame.
      packet[rtp.HEADER_LENGTH] = count % 10 === 0 ? 0x10 : 0x00;
      packet[rtp.HEADER_LENGTH + 1] = count % KEY_FRAME_PACKETS === 0 ? 0x00 : 0x01;
      track?.sendMessageBinary(packet);
    }
  }, 2);
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
