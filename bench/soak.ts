// Memory and event-loop delay over time: one publisher with ten steady subscribers, while participants come, watch and go.
// Run: npm run bench -- soak; FOOTLIGHTS_SOAK_MINUTES says for how long, 1 when not given (or: node dist/bench/soak.mjs 5).
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { rtcp, rtp } from '@footlights/protocol';
import ndc from 'node-datachannel';
import { WebSocket } from 'ws';
import { Server } from './support/load.ts';

const minutes = Number(process.argv[2] ?? process.env.FOOTLIGHTS_SOAK_MINUTES ?? 1);
const rows = 12;
const steadySubscribers = 10;
const packetsPerSecond = 300;
const packetBytes = 1_100;
const keyFramePackets = 100;
/** Viewers that come and go at once. */
const comers = 2;
const pauseBetweenCyclesMs = 50;

type PeerConnection = InstanceType<typeof ndc.PeerConnection>;
type Track = InstanceType<typeof ndc.Track>;

/** A participant's token, as CreateParticipantToken gives it. */
interface Token {
  participantId: string;
  token: string;
}

/** One peer connection over WHIP. */
class Peer {
  received = 0;
  readonly #connection: PeerConnection;
  readonly #track: Track;
  readonly #alive: NodeJS.Timeout;
  readonly #token: string;
  readonly #location: string;

  private constructor(connection: PeerConnection, track: Track, token: string, location: string) {
    this.#connection = connection;
    this.#track = track;
    this.#token = token;
    this.#location = location;
    track.onMessage(() => (this.received += 1));
    const report = rtcp.write([{ type: 'rr', ssrc: 1, reports: [] }]);
    this.#alive = setInterval(() => track.isOpen() && track.sendMessageBinary(report), 1_000);
  }

  static async connect(url: string, token: string, direction: 'SendOnly' | 'RecvOnly'): Promise<Peer> {
    const video = new ndc.Video('0', direction);
    video.addVP8Codec(96);
    const connection = new ndc.PeerConnection('soak', { iceServers: [], bindAddress: '127.0.0.1' });
    const track = connection.addTrack(video);
    const opened = new Promise<void>((resolve) => track.onOpen(resolve));
    const offer = await new Promise<string>((resolve) => {
      connection.onLocalDescription(resolve);
      connection.setLocalDescription('offer');
    });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' };
    const response = await fetch(url, { method: 'POST', headers, body: offer });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${url}: ${response.status} ${answer}`);
    connection.setRemoteDescription(answer, 'answer');
    await opened;
    return new Peer(connection, track, token, response.headers.get('location') ?? '');
  }

  send(packet: Buffer): void {
    this.#track.sendMessageBinary(packet);
  }

  async close(): Promise<void> {
    clearInterval(this.#alive);
    await fetch(this.#location, { method: 'DELETE', headers: { authorization: `Bearer ${this.#token}` } });
    this.#track.close();
    this.#connection.close();
  }
}

/** VP8 that looks real enough to be forwarded, with a key frame now and then. */
function publish(peer: Peer): NodeJS.Timeout {
  const packet = Buffer.alloc(packetBytes, 0x55);
  const startedAt = performance.now();
  let count = 0;
  return setInterval(() => {
    for (const due = ((performance.now() - startedAt) * packetsPerSecond) / 1_000; count < due; count++) {
      const frame = Math.floor(count / 10);
      const fields = { sequenceNumber: count & 0xffff, timestamp: (frame * 3_000) >>> 0, ssrc: 1 };
      rtp.writeHeader(packet, { marker: count % 10 === 9, payloadType: 96, ...fields });
      packet[rtp.HEADER_LENGTH] = count % 10 === 0 ? 0x10 : 0x00;
      packet[rtp.HEADER_LENGTH + 1] = count % keyFramePackets === 0 ? 0x00 : 0x01;
      peer.send(packet);
    }
  }, 5);
}

/** The stage of a soak: whoever comes to it has a token of its own. */
class Stage {
  readonly #server: Server;
  readonly #arn: string;
  readonly #whip: string;
  readonly #events: string;

  private constructor(server: Server, arn: string) {
    this.#server = server;
    this.#arn = arn;
    this.#whip = `http://${server.host}/whip`;
    this.#events = `ws://${server.host}/events?topic=${arn.split('/')[1]}/publishers`;
  }

  static async create(server: Server): Promise<Stage> {
    const { stage } = await server.call('CreateStage');
    return new Stage(server, (stage as { arn: string }).arn);
  }

  async token(capability: 'PUBLISH' | 'SUBSCRIBE'): Promise<Token> {
    const input = { stageArn: this.#arn, capabilities: [capability] };
    return (await this.#server.call('CreateParticipantToken', input)).participantToken as Token;
  }

  publish({ token }: Token): Promise<Peer> {
    return Peer.connect(this.#whip, token, 'SendOnly');
  }

  subscribe({ token }: Token, publisherId: string): Promise<Peer> {
    return Peer.connect(`${this.#whip}/subscribe/${publisherId}`, token, 'RecvOnly');
  }

  /** One participant joins, watches until something comes, and leaves. */
  async cycle(publisherId: string): Promise<void> {
    const viewer = await this.token('SUBSCRIBE');
    const socket = new WebSocket(this.#events, viewer.token);
    await once(socket, 'message');
    const peer = await this.subscribe(viewer, publisherId);
    for (const until = Date.now() + 5_000; peer.received === 0 && Date.now() < until; ) await sleep(5);
    if (peer.received === 0) throw new Error('a subscriber received nothing for 5 s');
    await peer.close();
    socket.close();
    await once(socket, 'close');
  }
}

/** Resident memory in MB; undefined where there is no /proc, or no process. */
function residentMb(pid: number | string | undefined): number | undefined {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
  } catch {
    return undefined;
  }
}

function workerOf(pid: number | undefined): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0];
  } catch {
    return undefined;
  }
}

/** What a scrape says, in milliseconds: how late timers ran since the one before, at worst (worker: in its last second). */
async function loopDelays(server: Server): Promise<{ main: number; worker: number }> {
  const text = await (await fetch(`http://${server.host}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name}(?:{.*})? (\\S+)$`, 'm').exec(text)?.[1]) * 1_000;
  return { main: value('nodejs_eventloop_lag_max_seconds'), worker: value('footlights_media_loop_delay_seconds') };
}

async function soak(server: Server): Promise<void> {
  const stage = await Stage.create(server);
  const host = await stage.token('PUBLISH');
  const publisher = await stage.publish(host);
  const sending = publish(publisher);
  const steady: Peer[] = [];
  for (let i = 0; i < steadySubscribers; i++) {
    steady.push(await stage.subscribe(await stage.token('SUBSCRIBE'), host.participantId));
  }
  console.log(
    `1 publisher x ${steadySubscribers} subscribers, ${packetsPerSecond} packets/s, and viewers that come and go`,
  );
  console.log('   seconds    cycles  forwarded/s   main MB  worker MB  main delay ms  worker delay ms');
  const started = performance.now();
  const end = started + minutes * 60_000;
  const progress = { cycles: 0, started };
  const cycle = async () => {
    for (; performance.now() < end; await sleep(pauseBetweenCyclesMs)) {
      await stage.cycle(host.participantId);
      progress.cycles += 1;
    }
  };
  const cycling = Promise.all(Array.from({ length: comers }, cycle));
  // A failed cycle ends the soak, not the wait for the next row.
  await Promise.race([cycling, report(server, steady, progress, end).then(() => cycling)]);
  clearInterval(sending);
  await Promise.all([publisher, ...steady].map((peer) => peer.close()));
}

/** Prints a row in equal intervals until the end. */
async function report(
  server: Server,
  steady: readonly Peer[],
  progress: { cycles: number; started: number },
  end: number,
): Promise<void> {
  const received = () => steady.reduce((sum, peer) => sum + peer.received, 0);
  const worker = workerOf(server.process.pid);
  let before = { at: performance.now(), received: received() };
  for (let row = 0; row <= rows; row++) {
    if (row > 0)
      await sleep(Math.max(0, progress.started + ((end - progress.started) * row) / rows - performance.now()));
    const now = { at: performance.now(), received: received() };
    const delays = await loopDelays(server);
    const columns = [
      ((now.at - progress.started) / 1_000).toFixed(0).padStart(10),
      String(progress.cycles).padStart(9),
      (((now.received - before.received) * 1_000) / Math.max(1, now.at - before.at)).toFixed(0).padStart(12),
      (residentMb(server.process.pid)?.toFixed(1) ?? '-').padStart(9),
      (residentMb(worker)?.toFixed(1) ?? '-').padStart(10),
      delays.main.toFixed(0).padStart(14),
      delays.worker.toFixed(0).padStart(16),
    ];
    console.log(columns.join(' '));
    before = now;
  }
}

if (!(minutes > 0)) throw new Error(`minutes of the soak: ${minutes} is not a number above 0`);
const server = await Server.start();
try {
  await soak(server);
} finally {
  await server.stop();
}
// The native threads would keep the process.
process.exit();
