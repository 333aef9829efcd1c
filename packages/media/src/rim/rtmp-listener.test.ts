import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { amf, flv, rtmp } from '@footlights/protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RtmpEnd, RtmpSession, RtmpSessionInfo } from '../ingest/rtmp-connection.ts';
import { makeCertificate } from './certificate.ts';
import { type RtmpListener, type RtmpListenerOptions, startRtmpListener } from './rtmp-listener.ts';

vi.setConfig({ testTimeout: 60_000 });

const patient = { timeout: 25_000, interval: 20 };
const codecs = { videoCodecs: ['avc1'], audioCodecs: ['mp4a'] };
const cleanup: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});

interface Heard {
  session: RtmpSession;
  info: RtmpSessionInfo;
  publishes: string[];
  frames: number;
  bytes: number;
  unpublished: number;
  ends: RtmpEnd[];
}

/** A listener that grants all, unless `answer` does something else with a session's `publish`. */
async function listen(
  options: Partial<RtmpListenerOptions> = {},
  answer: (session: RtmpSession, key: string) => void = (session) => session.accept(),
) {
  const lines: string[] = [];
  const heard: Heard[] = [];
  const listener = await startRtmpListener({
    host: '127.0.0.1',
    port: 0,
    codecs,
    log: { warn: (_, message) => lines.push(message) },
    onSession: (session, info) => {
      const one: Heard = { session, info, publishes: [], frames: 0, bytes: 0, unpublished: 0, ends: [] };
      heard.push(one);
      session.accept();
      const count = ({ data }: { data: Buffer }) => {
        one.frames++;
        one.bytes += data.length;
      };
      return {
        publish: ({ streamKey }) => {
          one.publishes.push(streamKey);
          answer(session, streamKey);
        },
        metadata: () => {},
        audio: count,
        video: count,
        unpublish: () => one.unpublished++,
        closed: (end) => one.ends.push(end),
      };
    },
    ...options,
  });
  cleanup.push(() => listener.close());
  return { listener, lines, heard };
}

function open(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  cleanup.push(() => socket.destroy());
  return socket;
}

/** Resolves when a connection is over, by a reset too. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

/** An encoder on a socket. */
function publish(socket: Socket, streamKey = 'sk_1') {
  const events: string[] = [];
  const client = new rtmp.RtmpClientSession(
    {
      send: (bytes) => socket.write(bytes),
      publishing: () => events.push('publishing'),
      refused: (code, description) => events.push(`${code}: ${description}`),
      status: (code) => events.push(code),
      malformed: (description) => events.push(description),
    },
    {
      app: 'app',
      tcUrl: 'rtmp://127.0.0.1/app',
      streamKey,
      handshake: 'digest-first',
      chunkSize: 4_096,
      connect: { capsEx: 1 },
    },
  );
  socket.on('data', (bytes) => client.receive(bytes));
  socket.on('close', () => events.push('closed'));
  client.start();
  return { client, events, socket };
}

async function publishing(listener: RtmpListener, streamKey?: string) {
  const peer = publish(open(listener.port), streamKey);
  await vi.waitFor(() => expect(peer.events).toEqual(['publishing']), patient);
  return peer;
}

describe('an encoder', () => {
  it('is heard from its connect to its end', async () => {
    const { listener, heard } = await listen();
    const { client, socket, events } = await publishing(listener);
    expect(heard[0]!.info).toMatchObject({
      app: 'app',
      tcUrl: 'rtmp://127.0.0.1/app',
      remoteAddress: '127.0.0.1',
      remotePort: socket.localPort,
      secure: false,
    });
    client.video(0, flv.writeAvc('config', Buffer.of(1), true));
    client.audio(0, flv.writeAac('config', Buffer.of(1)));
    client.unpublish();
    await vi.waitFor(() => expect(events.at(-1)).toBe('NetStream.Unpublish.Success'), patient);
    socket.end();
    await vi.waitFor(() => expect(heard[0]!.ends).toEqual([{ kind: 'left' }]), patient);
    expect(heard).toMatchObject([{ publishes: ['sk_1'], frames: 2, unpublished: 1 }]);
    expect(heard[0]!.session.bytesReceived).toBe(listener.counters.bytesReceived);
    expect([listener.open(), listener.counters]).toMatchObject([
      { halfOpen: 0, admitted: 0 },
      { connections: 1, ended: { left: 1 } },
    ]);
  });

  it('is told why it is refused, before the connection ends', async () => {
    const { listener, heard } = await listen({}, (session) =>
      session.reject('NetStream.Publish.BadName', 'No such key.'),
    );
    const { events } = publish(open(listener.port));
    await vi.waitFor(() => expect(events).toEqual(['NetStream.Publish.BadName: No such key.', 'closed']), patient);
    expect(heard[0]!.ends).toEqual([
      { kind: 'refused', code: 'NetStream.Publish.BadName', description: 'No such key.' },
    ]);
  });

  it('is told why it is ended, though it sends on', async () => {
    const { listener, heard } = await listen();
    const { client, events } = await publishing(listener);
    const frame = flv.writeAvc('frame', Buffer.alloc(20_000), false);
    const sending = setInterval(() => client.video(0, frame), 1);
    cleanup.push(() => clearInterval(sending));
    await vi.waitFor(() => expect(heard[0]!.frames).toBeGreaterThan(10), patient);
    heard[0]!.session.reject('NetStream.Publish.Rejected', 'Too much.');
    await vi.waitFor(
      () => expect(events).toEqual(['publishing', 'NetStream.Publish.Rejected: Too much.', 'closed']),
      patient,
    );
  });

  it('may be answered later', async () => {
    const sessions: RtmpSession[] = [];
    const { listener } = await listen({}, (session) => sessions.push(session));
    const { events } = publish(open(listener.port));
    await vi.waitFor(() => expect(sessions).toHaveLength(1), patient);
    sessions[0]!.accept();
    await vi.waitFor(() => expect(events).toEqual(['publishing']), patient);
  });

  it('waits while its owner takes nothing', async () => {
    const { listener, heard } = await listen();
    const { client, socket } = await publishing(listener);
    heard[0]!.session.pause();
    const frame = flv.writeAvc('frame', Buffer.alloc(1_000_000), false);
    for (let i = 0; i < 20; i++) client.video(i, frame);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(heard[0]!.frames).toBeLessThanOrEqual(1);
    expect(socket.writableLength).toBeGreaterThan(5_000_000);
    heard[0]!.session.resume();
    await vi.waitFor(() => expect(heard[0]!.frames).toBe(20), patient);
    expect(heard[0]!.bytes).toBe(20_000_000);
  });

  it('is asked to connect elsewhere', async () => {
    const { listener, heard } = await listen();
    const { events } = await publishing(listener);
    expect(heard[0]!.session.requestReconnect('Going down.')).toBe(true);
    await vi.waitFor(() => expect(events.at(-1)).toBe('NetConnection.Connect.ReconnectRequest'), patient);
  });
});

describe('TLS', () => {
  const made = makeCertificate(new Date(), ['localhost', '127.0.0.1']);
  const tls = { cert: made.certificatePem, key: made.keyPem };

  it('carries what an encoder sends, for whom the certificate is right', async () => {
    const { listener, heard } = await listen({ tls });
    const socket = connectTls({ host: '127.0.0.1', port: listener.port, ca: tls.cert });
    cleanup.push(() => socket.destroy());
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    const recording = readFileSync(new URL('../ingest/testdata/ffmpeg-5.1-h264-aac.bin', import.meta.url));
    for (let at = 0; at < recording.length; at += 1_000) socket.write(recording.subarray(at, at + 1_000));
    await vi.waitFor(
      () => expect(heard).toMatchObject([{ frames: 84, unpublished: 1, info: { secure: true } }]),
      patient,
    );
    socket.end();
    await vi.waitFor(() => expect(heard[0]!.ends).toEqual([{ kind: 'left' }]), patient);
  });

  it('takes another certificate without a pause', async () => {
    const { listener } = await listen({ tls });
    const other = makeCertificate(new Date(), ['127.0.0.1']);
    listener.setCertificate({ cert: other.certificatePem, key: other.keyPem });
    const socket = connectTls({ host: '127.0.0.1', port: listener.port, ca: other.certificatePem });
    cleanup.push(() => socket.destroy());
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().fingerprint256).toBe(other.fingerprintSha256);
  });

  it('is not confused by RTMP, noise or silence', async () => {
    const { listener, lines, heard } = await listen({ tls, limits: { handshakeTimeoutMs: 500 } });
    const closed = [publish(open(listener.port)).events];
    for (const noise of [Buffer.alloc(5_000, 0xff), Buffer.from('16030100ff', 'hex'), Buffer.alloc(0)]) {
      const events: string[] = [];
      open(listener.port)
        .on('close', () => events.push('closed'))
        .write(noise);
      closed.push(events);
    }
    await vi.waitFor(() => expect(closed.every((events) => events.at(-1) === 'closed')).toBe(true), patient);
    await vi.waitFor(() => expect(listener.open()).toEqual({ halfOpen: 0, admitted: 0 }), patient);
    await vi.waitFor(() => expect(lines.join()).toMatch(/no TLS handshake: 2/), patient);
    expect(lines.join()).toMatch(/no RTMP handshake and connect in 500 ms: 2/);
    expect(heard).toEqual([]);
  });

  it('refuses a key that does not fit, at the start', async () => {
    await expect(listen({ tls: { cert: tls.cert, key: makeCertificate(new Date()).keyPem } })).rejects.toThrow(/key/);
  });
});

describe('a peer that does not speak RTMP', () => {
  it.each([
    ['TLS', Buffer.from('1603010200010001fc0303', 'hex'), 'TLS on a port for RTMP without TLS: 1'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'HTTP on a port for RTMP: 1'],
    ['nothing', Buffer.alloc(0), 'no RTMP handshake and connect in 400 ms: 1'],
  ])('but %s is gone soon', async (_, bytes, line) => {
    const { listener, lines } = await listen({ limits: { handshakeTimeoutMs: 400 } });
    const socket = open(listener.port);
    socket.write(bytes);
    await closing(socket);
    await vi.waitFor(() => expect(lines).toEqual([`RTMP connections in vain: ${line}`]), patient);
  });

  it('or says a byte now and then, has no more time', async () => {
    const { listener } = await listen({ limits: { handshakeTimeoutMs: 600 } });
    const socket = open(listener.port);
    const dripping = setInterval(() => socket.write(Buffer.of(3)), 50);
    cleanup.push(() => clearInterval(dripping));
    await closing(socket);
    expect(listener.counters.ended).toMatchObject({ timeout: 1 });
  });
});

it('a thousand handshakes that are never finished keep no encoder out, and are gone in time', async () => {
  const { listener, lines, heard } = await listen({ limits: { handshakeTimeoutMs: 8_000 } });
  let closed = 0;
  for (let i = 0; i < 1_000; i++) {
    open(listener.port)
      .on('close', () => closed++)
      .write(Buffer.of(3));
  }
  await vi.waitFor(() => expect(listener.counters.connections).toBe(1_000), patient);
  expect(listener.open()).toEqual({ halfOpen: 256, admitted: 0 });
  await publishing(listener);
  await vi.waitFor(() => expect(closed).toBe(1_000), patient);
  expect(listener.open()).toEqual({ halfOpen: 0, admitted: 1 });
  expect(listener.counters.ended).toMatchObject({ displaced: 745, timeout: 255 });
  expect([heard.length, heard[0]!.ends]).toEqual([1, []]);
  const summed = (reason: RegExp) => lines.reduce((sum, line) => sum + Number(reason.exec(line)?.[1] ?? 0), 0);
  await vi.waitFor(() => expect(summed(/connect in 8000 ms: (\d+)/)).toBe(255), patient);
  expect(summed(/displaced by newer connections: (\d+)/)).toBe(745);
  expect(lines.length).toBeLessThan(20);
});

describe('an encoder that does nothing more', () => {
  it('behind its connect is told so', async () => {
    const { listener, heard } = await listen({ limits: { publishTimeoutMs: 400 } }, () => {});
    const { events } = publish(open(listener.port));
    await vi.waitFor(() => expect(events.at(-1)).toBe('closed'), patient);
    expect(events[0]).toBe('NetConnection.Connect.IdleTimeOut: nothing published in 400 ms');
    expect(heard[0]!.ends).toEqual([{ kind: 'timeout', description: 'nothing published in 400 ms' }]);
  });

  it('in its stream is told so, unless its owner makes it wait', async () => {
    const { listener, heard } = await listen({ limits: { idleTimeoutMs: 400 } });
    const { events } = await publishing(listener);
    heard[0]!.session.pause();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(heard[0]!.ends).toEqual([]);
    heard[0]!.session.resume();
    await vi.waitFor(() => expect(events.at(-1)).toBe('closed'), patient);
    expect(events[1]).toBe('NetConnection.Connect.IdleTimeOut: no audio or video in 400 ms');
    expect(heard[0]!.ends).toEqual([{ kind: 'timeout', description: 'no audio or video in 400 ms' }]);
  });

  it('is not one that sends now and then', async () => {
    const { listener, heard } = await listen({ limits: { idleTimeoutMs: 600 } });
    const { client } = await publishing(listener);
    for (let i = 0; i < 6; i++) {
      client.audio(i, flv.writeAac('frame', Buffer.of(1)));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(heard[0]!.ends).toEqual([]);
  });
});

it('two connections of one address are enough where two are the limit', async () => {
  const { listener, heard } = await listen({ limits: { connectionsPerAddress: 2 } });
  const first = await publishing(listener);
  await publishing(listener);
  const third = publish(open(listener.port));
  await vi.waitFor(() => expect(third.events).toHaveLength(2), patient);
  expect(third.events[0]).toBe('NetConnection.Connect.Rejected: more than 2 RTMP connections of one address');
  expect(heard).toHaveLength(2);
  first.socket.destroy();
  await vi.waitFor(() => expect(listener.open().admitted).toBe(1), patient);
  await publishing(listener);
});

it('who asks much and reads nothing is disconnected', async () => {
  const { listener, heard } = await listen({ limits: { unsentBytes: 10_000 } });
  const { socket } = await publishing(listener);
  socket.pause();
  const writer = new rtmp.ChunkWriter();
  // Each is answered with six times its length: the name is quoted, and its characters escaped.
  const body = amf.write0('\u0001'.repeat(64), 7, null);
  const calls = Buffer.concat(
    Array.from({ length: 10_000 }, () => writer.write(9, { type: 20, streamId: 0, timestamp: 0, body })),
  );
  const ask = () => {
    if (socket.writable) socket.write(calls, ask);
  };
  ask();
  await vi.waitFor(
    () => expect(heard[0]!.ends).toEqual([{ kind: 'unread', description: 'more than 10000 bytes left unread' }]),
    patient,
  );
});

it('all that is open ends with the listener', async () => {
  const { listener, heard, lines } = await listen();
  const { socket } = await publishing(listener);
  const silent = open(listener.port);
  await vi.waitFor(() => expect(listener.open().halfOpen).toBe(1), patient);
  const closed = [closing(socket), closing(silent)];
  await listener.close();
  await Promise.all(closed);
  expect([heard[0]!.ends, lines]).toEqual([[{ kind: 'shutdown' }], []]);
});

it('a port that is taken is a failure to start', async () => {
  const { listener } = await listen();
  await expect(listen({ port: listener.port })).rejects.toThrow(/EADDRINUSE/);
});
