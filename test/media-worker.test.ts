import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { awsMediaLimits, type Media, type MediaEvent, startMedia } from '@footlights/media';
import { rtp } from '@footlights/protocol';
import ndc from 'node-datachannel';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const workerPath = fileURLToPath(new URL('../dist/media-worker.mjs', import.meta.url));
const silent = { info() {}, warn() {}, error() {} };
const options = {
  workers: 1,
  listenIp: '127.0.0.1',
  announceIps: [],
  port: 0,
  workerPath,
  limits: awsMediaLimits,
  log: silent,
};

/** A WebRTC peer with one VP8 track, as a WHIP client on libdatachannel makes it. */
class Peer {
  readonly received: Buffer[] = [];
  readonly #connection = new ndc.PeerConnection('test', { iceServers: [], bindAddress: '127.0.0.1' });
  readonly #track: InstanceType<typeof ndc.Track>;
  readonly #offer: Promise<string>;

  constructor(direction: 'SendOnly' | 'RecvOnly') {
    const video = new ndc.Video('0', direction);
    video.addVP8Codec(96);
    this.#track = this.#connection.addTrack(video);
    this.#track.onMessage((packet) => this.received.push(packet));
    this.#offer = new Promise((resolve) => this.#connection.onLocalDescription(resolve));
    this.#connection.setLocalDescription('offer');
  }

  /** Negotiates with the worker and waits for the transport. */
  async join(media: Media, connectionId: string, publisherConnectionId?: string): Promise<void> {
    const { answer } = await media.accept({
      stageId: 'stage',
      connectionId,
      participantId: connectionId,
      offer: await this.#offer,
      ...(publisherConnectionId ? { role: 'subscribe', publisherConnectionId } : { role: 'publish' }),
    });
    this.#connection.setRemoteDescription(answer, 'answer');
    await vi.waitUntil(() => this.#track.isOpen(), { timeout: 10_000 });
  }

  send(sequenceNumber: number, key: boolean): void {
    const packet = Buffer.alloc(rtp.HEADER_LENGTH + 3);
    rtp.writeHeader(packet, {
      marker: true,
      payloadType: 96,
      sequenceNumber,
      timestamp: sequenceNumber * 3_000,
      ssrc: 7,
    });
    packet.set([0x10, key ? 0 : 1, sequenceNumber], rtp.HEADER_LENGTH);
    this.#track.sendMessageBinary(packet);
  }

  /** The last payload byte of each video packet that came. */
  get contents(): (number | undefined)[] {
    return this.received.filter((packet) => !rtp.isRtcp(packet)).map((packet) => packet.at(-1));
  }

  close(): void {
    this.#track.close();
    this.#connection.close();
  }
}

/** All peers: cleaning up trips over those that were collected. */
const made: Peer[] = [];

afterAll(() => ndc.cleanup());

describe('a media worker', () => {
  let media: Media;
  let events: MediaEvent[];
  const peers: Peer[] = [];
  const peer = (direction: 'SendOnly' | 'RecvOnly') => {
    const peer = new Peer(direction);
    made.push(peer);
    peers.push(peer);
    return peer;
  };

  beforeEach(async () => {
    events = [];
    media = await startMedia(options);
    media.on((event) => events.push(event));
  });

  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.close();
    await media.shutdown();
  });

  /** A publisher and a subscriber, both connected, and packets that flow between them. */
  async function stream() {
    const publisher = peer('SendOnly');
    await publisher.join(media, 'pub');
    const subscriber = peer('RecvOnly');
    await subscriber.join(media, 'sub', 'pub');
    await vi.waitUntil(() => events.some((event) => event.type !== 'speakers' && event.connectionId === 'sub'), {
      timeout: 5_000,
    });
    for (let number = 1; number <= 20; number++) publisher.send(number, number === 1);
    await vi.waitUntil(() => subscriber.contents.length >= 20, { timeout: 5_000 });
    return subscriber;
  }

  it('carries packets from a publisher to a subscriber', async () => {
    const subscriber = await stream();
    expect(subscriber.contents).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(events).toEqual([
      { type: 'connected', connectionId: 'pub' },
      { type: 'connected', connectionId: 'sub' },
    ]);
    const [worker] = (await media.statistics()).workers;
    expect(worker?.port).toBe(media.ports[0]);
    expect(worker?.connections).toMatchObject([
      { connectionId: 'pub', packetsReceived: 20 },
      { connectionId: 'sub', packetsSent: 20 },
    ]);
  });

  it('takes its connections along when it is killed, and another one takes its port', async () => {
    await stream();
    const [before] = (await media.statistics()).workers;
    if (!before) throw new Error('no worker runs');
    process.kill(before.pid, 'SIGKILL');
    await vi.waitUntil(() => events.filter(({ type }) => type === 'closed').length === 2, { timeout: 5_000 });
    expect(events.slice(2)).toEqual([
      { type: 'closed', connectionId: 'pub', reason: 'worker-lost' },
      { type: 'closed', connectionId: 'sub', reason: 'worker-lost' },
    ]);
    await vi.waitUntil(async () => (await media.statistics()).workers.length === 1, { timeout: 5_000 });
    const [after] = (await media.statistics()).workers;
    expect(after?.pid).not.toBe(before.pid);
    expect(after?.port).toBe(before.port);
    events = [];
    await stream();
  });

  it('closes a connection when it is told so', async () => {
    await stream();
    media.close('pub');
    await vi.waitUntil(() => events.length === 4, { timeout: 5_000 });
    expect(events.slice(2)).toEqual([
      { type: 'closed', connectionId: 'pub', reason: 'requested' },
      { type: 'closed', connectionId: 'sub', reason: 'publisher-closed' },
    ]);
  });

  it('refuses what is no offer, and lives on', async () => {
    const accept = (offer: string) =>
      media.accept({ stageId: 's', connectionId: 'x', participantId: 'p', offer, role: 'publish' });
    await expect(accept('hello')).rejects.toMatchObject({ name: 'MediaError', code: 'INVALID_OFFER' });
    expect((await media.statistics()).workers[0]?.connections).toEqual([]);
  });
});

describe('a media worker that cannot listen', () => {
  it('says in one line that its port is in use', async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    await expect(startMedia({ ...options, port })).rejects.toThrow(
      `UDP port ${port} is in use on 127.0.0.1: choose another media port`,
    );
    socket.close();
  });

  it('says that the address is another machine’s', async () => {
    await expect(startMedia({ ...options, listenIp: '192.0.2.77' })).rejects.toThrow(
      '192.0.2.77 is not an address of this machine: media cannot listen there',
    );
  });
});

describe('a media worker whose parent is gone', () => {
  it('ends by itself, and never wrote to stdout', async () => {
    const worker = fork(workerPath, { serialization: 'advanced', silent: true });
    let output = '';
    worker.stdout?.on('data', (data) => {
      output += data;
    });
    worker.send({
      type: 'start',
      options: { listenIp: '127.0.0.1', announceIps: [], port: 0, litePort: 0, limits: awsMediaLimits },
    });
    await once(worker, 'message');
    worker.disconnect();
    const [code] = await once(worker, 'exit');
    expect(code).toBe(0);
    expect(output).toBe('');
  });
});
