import { describe, expect, it } from 'vitest';
import * as amf from '../amf/index.ts';
import * as flv from '../flv/index.ts';
import {
  type AudioFrame,
  ChunkReader,
  ChunkWriter,
  type ClientOptions,
  type CloseReason,
  type ConnectRequest,
  MAX_HELD_BYTES,
  MAX_TEXT,
  type Message,
  type PublishRequest,
  RtmpClientSession,
  RtmpServerSession,
  type VideoFrame,
} from './index.ts';

const options = { videoCodecs: ['avc1', 'hvc1'], audioCodecs: ['mp4a'] };

/** A server that notes what it hears, and what it sends. */
function server(answer: 'accept' | 'wait' = 'accept') {
  const heard = {
    connects: [] as ConnectRequest[],
    publishes: [] as PublishRequest[],
    metadata: [] as amf.AmfObject[],
    audio: [] as AudioFrame[],
    video: [] as VideoFrame[],
    unpublished: 0,
    closes: [] as CloseReason[],
  };
  const sent: Buffer[] = [];
  const session: RtmpServerSession = new RtmpServerSession(
    {
      send: (bytes) => sent.push(bytes),
      connect: (request) => {
        heard.connects.push(request);
        if (answer === 'accept') session.accept();
      },
      publish: (request) => {
        heard.publishes.push(request);
        if (answer === 'accept') session.accept();
      },
      metadata: (values) => heard.metadata.push(values),
      audio: (frame) => heard.audio.push(frame),
      video: (frame) => heard.video.push(frame),
      unpublish: () => heard.unpublished++,
      close: (reason) => heard.closes.push(reason),
    },
    options,
  );
  return { session, heard, sent };
}

/** A client joined to a server by a wire that `flush` empties. */
function pair(answer: 'accept' | 'wait' = 'accept', more: Partial<ClientOptions> = {}) {
  const { session, heard, sent } = server(answer);
  const up: Buffer[] = [];
  const events: string[] = [];
  const client = new RtmpClientSession(
    {
      send: (bytes) => up.push(bytes),
      publishing: () => events.push('publishing'),
      refused: (code, description) => events.push(`refused ${code}: ${description}`),
      status: (code, values) => events.push(`status ${code} ${amf.textOf(values, 'tcUrl') ?? ''}`),
      malformed: (description) => events.push(`malformed ${description}`),
    },
    {
      app: 'app',
      tcUrl: 'rtmp://127.0.0.1/app',
      streamKey: 'sk_1',
      handshake: 'digest-first',
      chunkSize: 4_096,
      ...more,
    },
  );
  const flush = () => {
    while (up.length + sent.length > 0) {
      for (const bytes of up.splice(0)) session.receive(bytes);
      for (const bytes of sent.splice(0)) client.receive(bytes);
    }
  };
  client.start();
  flush();
  return { session, client, heard, events, flush, up };
}

/** The messages that a server sent behind its handshake. */
function messagesOf(sent: Buffer[]): Message[] {
  const reader = new ChunkReader();
  const bytes = Buffer.concat(sent).subarray(1 + 2 * 1536);
  const found: Message[] = [];
  for (let at = 0; at < bytes.length && reader.error === undefined; ) {
    at = reader.read(bytes, at);
    const message = reader.take();
    if (message !== undefined) found.push(message);
  }
  expect(reader.error).toBeUndefined();
  return found;
}

/** The values of the commands among them. */
function commands(sent: Buffer[]): amf.AmfValue[][] {
  return messagesOf(sent)
    .filter(({ type }) => type === 20)
    .map(({ body }) => {
      const result = amf.read0(body);
      return 'values' in result ? result.values : [result.error];
    });
}

/** A session past its handshake, and a way to send it messages. */
function handshaken(answer: 'accept' | 'wait' = 'accept') {
  const { session, heard, sent } = server(answer);
  const writer = new ChunkWriter();
  session.receive(Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536)]));
  const message = (type: number, body: Buffer, streamId = 0, timestamp = 0): Message => ({
    type,
    streamId,
    timestamp,
    body,
  });
  const send = (type: number, body: Buffer, streamId = 0, timestamp = 0) =>
    session.receive(writer.write(3, message(type, body, streamId, timestamp)));
  const call = (name: string, transaction: number, object: amf.AmfValue, ...args: amf.AmfValue[]) =>
    send(20, amf.write0(name, transaction, object, ...args), name === 'publish' ? 1 : 0);
  return { session, heard, sent, send, call };
}

const connectObject = amf.object({ app: 'app', tcUrl: 'rtmp://127.0.0.1/app' });

function publishing() {
  const peer = handshaken();
  peer.call('connect', 1, connectObject);
  peer.call('createStream', 2, null);
  peer.call('publish', 3, null, 'key', 'live');
  const before = messagesOf(peer.sent).length;
  /** Types and bodies of what the server sends from now on. */
  const answers = () =>
    messagesOf(peer.sent)
      .slice(before)
      .map(({ type, body }) => `${type} ${body.toString('hex')}`);
  return { ...peer, answers };
}

describe.each(['simple', 'digest-first', 'digest-second'] as const)('with a %s handshake', (handshake) => {
  it('a stream goes through', () => {
    const { client, heard, events, flush } = pair('accept', { handshake, chunkSize: 100 });
    expect(events).toEqual(['publishing']);
    expect(heard.connects).toEqual([
      {
        app: 'app',
        tcUrl: 'rtmp://127.0.0.1/app',
        flashVer: 'FMLE/3.0 (compatible)',
        objectEncoding: 0,
        fourCcs: [],
        capabilities: 0,
      },
    ]);
    expect(heard.publishes).toEqual([{ streamKey: 'sk_1', query: '', type: 'live' }]);
    const data = Buffer.alloc(1_000, 7);
    client.metadata(amf.ecmaArray({ width: 1280 }));
    client.video(0, flv.writeAvc('config', data, true));
    client.audio(0, flv.writeAac('config', data));
    client.video(40, flv.writeAvc('frame', data, true, 10));
    client.audio(43, flv.writeAac('frame', data));
    client.unpublish();
    flush();
    expect(heard.metadata).toEqual([amf.ecmaArray({ width: 1280 })]);
    expect(heard.video).toMatchObject([
      { codec: 'avc1', type: 'config', timestampMs: 0, data },
      { codec: 'avc1', type: 'frame', timestampMs: 40, compositionTimeMs: 10, keyFrame: true, data },
    ]);
    expect(heard.audio).toMatchObject([
      { codec: 'mp4a', type: 'config', timestampMs: 0, data },
      { codec: 'mp4a', type: 'frame', timestampMs: 43, data },
    ]);
    expect([heard.unpublished, heard.closes]).toEqual([1, []]);
    expect(events).toEqual(['publishing', 'status NetStream.Unpublish.Success ']);
  });
});

describe('what is asked', () => {
  it('waits for an answer, and what follows waits with it', () => {
    const { session, heard, call, send } = handshaken('wait');
    call('connect', 1, connectObject);
    expect(session.waiting).toBe(true);
    call('createStream', 2, null);
    call('publish', 3, null, 'key', 'live');
    expect(heard.publishes).toEqual([]);
    session.accept();
    expect([heard.publishes.length, session.waiting]).toEqual([1, true]);
    send(8, flv.writeAac('config', Buffer.of(1)), 1);
    expect(heard.audio).toEqual([]);
    session.accept();
    expect([heard.audio.length, session.waiting]).toEqual([1, false]);
  });

  it('can be refused: connect', () => {
    const { session, heard, sent, call } = handshaken('wait');
    call('connect', 1, connectObject);
    session.reject('NetConnection.Connect.Rejected', 'No such application.');
    const status = { level: 'error', code: 'NetConnection.Connect.Rejected', description: 'No such application.' };
    expect(commands(sent)).toEqual([['_error', 1, null, amf.object(status)]]);
    expect(heard.closes).toEqual([
      { kind: 'refused', code: 'NetConnection.Connect.Rejected', description: 'No such application.' },
    ]);
  });

  it('can be refused: publish', () => {
    const { session, heard, events, flush } = pair('wait');
    session.accept();
    flush();
    session.reject('NetStream.Publish.BadName', 'The stream key is not known.');
    session.reject('NetStream.Publish.BadName', 'Twice.');
    flush();
    expect(events).toEqual(['refused NetStream.Publish.BadName: The stream key is not known.']);
    expect(heard.closes).toHaveLength(1);
  });

  it('can be ended later', () => {
    const { session, client, heard, events, flush } = pair();
    session.reject('NetStream.Publish.Rejected', 'The stage was deleted.');
    client.audio(0, flv.writeAac('config', Buffer.of(1)));
    flush();
    expect(events).toEqual(['publishing', 'refused NetStream.Publish.Rejected: The stage was deleted.']);
    expect(heard.audio).toEqual([]);
  });

  it('is not answered twice', () => {
    const { session, heard } = pair();
    session.accept();
    expect([heard.publishes.length, heard.closes.length]).toEqual([1, 0]);
  });

  it('holds 1 MiB and no more', () => {
    const { session, heard, call } = handshaken('wait');
    call('connect', 1, connectObject);
    session.receive(Buffer.alloc(MAX_HELD_BYTES));
    expect(heard.closes).toEqual([]);
    session.receive(Buffer.alloc(1));
    expect(heard.closes).toEqual([{ kind: 'malformed', description: 'more than 1048576 bytes before an answer' }]);
  });
});

describe('connect', () => {
  const requestOf = (members: Record<string, amf.AmfValue>) => {
    const { heard, call } = handshaken();
    call('connect', 1, amf.object(members));
    return heard.connects[0];
  };

  it.each([
    ['app', 'app'],
    ['app/', 'app'],
    ['app//', 'app'],
    ['app/inner', 'app/inner'],
    ['app?token=a/b', 'app'],
    ['app/?x', 'app'],
    ['', ''],
  ])('calls the application %j %j', (app, name) => {
    expect(requestOf({ app })?.app).toBe(name);
  });

  it('needs nothing', () => {
    expect(requestOf({})).toMatchObject({ app: '', tcUrl: '', flashVer: '', objectEncoding: 0 });
  });

  it('knows what either version of Enhanced RTMP says', () => {
    const one = { fourCcList: ['hvc1', 'av01', 7] };
    const two = { videoFourCcInfoMap: amf.object({ '*': 4 }), audioFourCcInfoMap: amf.object({ Opus: 2 }), capsEx: 3 };
    expect(requestOf(one)).toMatchObject({ fourCcs: ['hvc1', 'av01'], capabilities: 0 });
    expect(requestOf({ ...one, ...two })).toMatchObject({ fourCcs: ['hvc1', 'av01', '*', 'Opus'], capabilities: 3 });
  });

  it('says what the server takes, to those who ask', () => {
    const answerTo = (members: Record<string, amf.AmfValue>) => {
      const { sent, call } = handshaken();
      call('connect', 1, amf.object(members));
      return commands(sent)[0];
    };
    const [name, transaction, properties, status] = answerTo({ fourCcList: ['hvc1'], objectEncoding: 3 })!;
    expect([name, transaction]).toEqual(['_result', 1]);
    expect(amf.isObject(properties) && Object.fromEntries(properties.members)).toMatchObject({
      fourCcList: ['avc1', 'hvc1', 'mp4a'],
      videoFourCcInfoMap: amf.object({ avc1: 4, hvc1: 4 }),
      audioFourCcInfoMap: amf.object({ mp4a: 4 }),
      capsEx: 15,
    });
    expect([amf.textOf(status, 'code'), amf.numberOf(status, 'objectEncoding')]).toEqual([
      'NetConnection.Connect.Success',
      3,
    ]);
    expect(amf.numberOf(answerTo({ app: 'app' })![2], 'capsEx')).toBeUndefined();
  });

  it('may have texts of 2048 characters', () => {
    expect(requestOf({ app: 'x'.repeat(MAX_TEXT) })?.app).toHaveLength(2_048);
    const { heard, call } = handshaken();
    call('connect', 1, amf.object({ tcUrl: 'x'.repeat(2_049) }));
    expect(heard.closes).toEqual([
      { kind: 'malformed', description: 'connect has a text longer than 2048 characters' },
    ]);
  });
});

describe('publish', () => {
  it.each([
    ['key', { streamKey: 'key', query: '', type: 'live' }],
    ['key?a=b?c', { streamKey: 'key', query: 'a=b?c', type: 'live' }],
    ['', { streamKey: '', query: '', type: 'live' }],
  ])('reads the name %j', (name, request) => {
    const { heard, call } = handshaken();
    call('connect', 1, connectObject);
    call('publish', 3, null, name, 'live');
    expect(heard.publishes).toEqual([request]);
  });

  it('may follow another that ended', () => {
    const { heard, call } = publishing();
    call('FCUnpublish', 0, null, 'key');
    call('deleteStream', 0, null, 1);
    call('publish', 5, null, 'other', 'live');
    expect(heard.publishes.map(({ streamKey }) => streamKey)).toEqual(['key', 'other']);
    expect([heard.unpublished, heard.closes.length]).toEqual([1, 0]);
  });

  it('may not follow another that goes on', () => {
    const { heard, call } = publishing();
    call('publish', 5, null, 'other', 'live');
    expect(heard.closes).toMatchObject([{ kind: 'refused', code: 'NetStream.Publish.BadName' }]);
  });

  it('goes on when another stream is deleted', () => {
    const { heard, call } = publishing();
    call('deleteStream', 0, null, 2);
    expect(heard.unpublished).toBe(0);
  });
});

it.each<[name: string, description: string, act: (peer: ReturnType<typeof handshaken>) => void]>([
  ['a command comes first', '"createStream" before connect', ({ call }) => call('createStream', 1, null)],
  [
    'connect comes twice',
    'connect has a connect before it',
    ({ call }) => {
      call('connect', 1, connectObject);
      call('connect', 2, connectObject);
    },
  ],
  ['a command is no AMF', 'a command AMF0 marker 255', ({ send }) => send(20, Buffer.of(255))],
  [
    'a command nests 10,000 deep',
    'a command nested deeper than 32',
    ({ send }) => send(20, Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from('03000161', 'hex')))),
  ],
  ['a command has no name', 'a command has no name', ({ send }) => send(20, amf.write0(1, 1))],
  [
    'publish has no name',
    'publish has no stream name of up to 2048 characters',
    ({ call }) => {
      call('connect', 1, connectObject);
      call('publish', 2, null, null);
    },
  ],
  [
    'publish has a long name',
    'publish has no stream name of up to 2048 characters',
    ({ call }) => {
      call('connect', 1, connectObject);
      call('publish', 2, null, 'x'.repeat(2_049));
    },
  ],
  [
    '2 GiB are announced',
    'a message of type 9 announces 16777215 bytes, more than 4194304',
    ({ session }) => session.receive(Buffer.from('04000000ffffff0901000000', 'hex')),
  ],
])('closes with what is wrong when %s', (_, description, act) => {
  const peer = handshaken();
  act(peer);
  expect(peer.heard.closes).toEqual([{ kind: 'malformed', description }]);
  peer.session.receive(Buffer.alloc(10_000));
  expect(peer.heard.closes).toHaveLength(1);
});

it('refuses what is not RTMP before it answers', () => {
  const { session, heard, sent } = server();
  session.receive(Buffer.from('160301020001', 'hex'));
  expect(heard.closes).toEqual([{ kind: 'malformed', description: 'TLS on a port for RTMP without TLS' }]);
  expect([sent, session.established]).toEqual([[], false]);
});

describe('other commands', () => {
  it.each([
    ['createStream', ['_result', 7, null, 1]],
    ['releaseStream', ['_result', 7, null, undefined]],
    ['_checkbw', ['_result', 7, null, undefined]],
    ['getStreamLength', ['_result', 7, null, undefined]],
  ])('%s is answered', (name, answer) => {
    const { sent, call } = handshaken();
    call('connect', 1, connectObject);
    call(name, 7, null, 'key');
    expect(commands(sent)[1]).toEqual(answer);
  });

  it('those that are not known are told so, when they ask', () => {
    const { sent, call, heard } = handshaken();
    call('connect', 1, connectObject);
    call('dance', 0, null);
    call('dance', 7, null);
    const [, error, ...more] = commands(sent);
    expect(error!.slice(0, 3)).toEqual(['_error', 7, null]);
    expect(amf.textOf(error![3], 'description')).toBe('The command "dance" is not known.');
    expect([more, heard.closes]).toEqual([[], []]);
  });

  it('FCPublish is answered as Flash Media Server does', () => {
    const { sent, call } = handshaken();
    call('connect', 1, connectObject);
    call('FCPublish', 3, null, 'key');
    expect(
      commands(sent)
        .slice(1)
        .map(([name]) => name),
    ).toEqual(['_result', 'onFCPublish']);
  });

  it('play is refused', () => {
    const { heard, sent, call } = handshaken();
    call('connect', 1, connectObject);
    call('play', 0, null, 'key');
    expect(amf.textOf(commands(sent)[1]![3], 'code')).toBe('NetStream.Play.Failed');
    expect(heard.closes).toMatchObject([{ kind: 'refused', code: 'NetStream.Play.Failed' }]);
  });

  it('may come as AMF3 messages', () => {
    const { heard, send } = handshaken();
    send(17, Buffer.concat([Buffer.of(0), amf.write0('connect', 1, connectObject)]));
    send(17, amf.write0('publish', 2, null, 'key', 'live'), 1);
    send(15, Buffer.concat([Buffer.of(0), amf.write0('onMetaData', amf.object({ width: 1 }))]), 1);
    expect([heard.publishes.length, heard.metadata]).toEqual([1, [amf.object({ width: 1 })]]);
  });
});

describe('a reconnect', () => {
  it('is asked of those who can', () => {
    const { session, events, flush } = pair('accept', { connect: { capsEx: 1 } });
    expect(session.requestReconnect('Going down.', 'rtmp://127.0.0.1/other')).toBe(true);
    flush();
    expect(events[1]).toBe('status NetConnection.Connect.ReconnectRequest rtmp://127.0.0.1/other');
  });

  it('is not asked of others', () => {
    const { session } = pair('accept', { connect: { capsEx: 2 } });
    expect(session.requestReconnect('Going down.')).toBe(false);
  });
});

describe('control', () => {
  it('pings are answered', () => {
    const { answers, send } = publishing();
    send(4, Buffer.from('000600000123', 'hex'));
    expect(answers()).toEqual(['4 000700000123']);
  });

  it('bytes are acknowledged after half of the window that the peer says', () => {
    const { answers, send } = publishing();
    send(8, Buffer.alloc(4_000), 1);
    expect(answers()).toEqual([]);
    send(5, Buffer.from('00002710', 'hex'));
    expect(answers()).toHaveLength(1);
    expect(answers()[0]).toMatch(/^3 0000[0-9a-f]{4}$/);
    send(8, Buffer.alloc(4_000), 1);
    expect(answers()).toHaveLength(1);
    send(8, Buffer.alloc(4_000), 1);
    expect(answers()).toHaveLength(2);
  });
});

describe('media', () => {
  it('has times on one line that wraps after 49.7 days', () => {
    const { heard, send } = publishing();
    for (const time of [0xffffffe0, 0xfffffff0, 0x00000010]) send(8, flv.writeAac('frame', Buffer.of(1)), 1, time);
    send(9, flv.writeAvc('frame', Buffer.of(1), true), 1, 0xfffffff8);
    expect(heard.audio.map(({ timestampMs }) => timestampMs)).toEqual([0xffffffe0, 0xfffffff0, 0x100000010]);
    expect(heard.video.map(({ timestampMs }) => timestampMs)).toEqual([0xfffffff8]);
  });

  it('has leaps as they are', () => {
    const { heard, send } = publishing();
    for (const time of [1_000, 36_001_000, 1_020]) send(8, flv.writeAac('frame', Buffer.of(1)), 1, time);
    expect(heard.audio.map(({ timestampMs }) => timestampMs)).toEqual([1_000, 36_001_000, 1_020]);
  });

  it('has nanoseconds where the encoder says them', () => {
    const { heard, send } = publishing();
    const packet = { track: 2, codec: 'Opus', type: 'frame' as const, nanoOffset: 500_000, data: Buffer.of(1) };
    send(8, flv.writeExAudio(packet), 1, 20);
    expect(heard.audio).toEqual([{ ...packet, timestampMs: 20.5 }]);
  });

  it('has every track of a message', () => {
    const { heard, send } = publishing();
    const packet = (track: number, codec: string): flv.VideoPacket => ({
      track,
      codec,
      type: 'frame',
      keyFrame: true,
      compositionTimeMs: 0,
      nanoOffset: 0,
      data: Buffer.of(track),
    });
    const packets = [packet(0, 'avc1'), packet(1, 'hvc1')] as const;
    send(9, flv.writeExVideo(...packets), 1, 20);
    expect(heard.video).toEqual(packets.map((one) => ({ ...one, timestampMs: 20 })));
  });

  it('comes out of aggregate messages, with times that count from theirs', () => {
    const { heard, send } = publishing();
    const tags = [
      { type: 8, timestamp: 500, data: flv.writeAac('frame', Buffer.of(1)) },
      { type: 9, timestamp: 510, data: flv.writeAvc('frame', Buffer.of(2), false) },
      { type: 18, timestamp: 510, data: amf.write0('onMetaData', amf.object({ width: 1 })) },
      { type: 22, timestamp: 510, data: Buffer.alloc(0) },
    ];
    send(22, flv.writeTags(tags), 1, 2_000);
    expect(heard.audio).toMatchObject([{ timestampMs: 2_000 }]);
    expect(heard.video).toMatchObject([{ timestampMs: 2_010 }]);
    expect(heard.metadata).toHaveLength(1);
  });

  it('is not heard before publish, nor of another stream, and counted', () => {
    const { session, heard, send, call } = handshaken();
    call('connect', 1, connectObject);
    send(8, flv.writeAac('frame', Buffer.of(1)), 1);
    call('publish', 3, null, 'key', 'live');
    send(8, flv.writeAac('frame', Buffer.of(1)), 2);
    expect([heard.audio.length, session.counters]).toEqual([0, { malformed: 0, ignored: 2 }]);
  });

  it('that is broken is counted, and does not end the stream', () => {
    const { session, heard, send } = publishing();
    send(8, Buffer.of(0xaf), 1);
    send(9, Buffer.of(0x17), 1);
    send(22, Buffer.of(8), 1);
    send(18, Buffer.of(255), 1);
    expect([session.counters.malformed, heard.closes]).toEqual([4, []]);
  });

  it('ends at once when its first track is refused', () => {
    const { session, heard, send } = publishing();
    const audio = heard.audio;
    audio.push = (...frames) => {
      session.reject('NetStream.Publish.Rejected', 'No.');
      return Array.prototype.push.apply(audio, frames);
    };
    const packet = { codec: 'Opus', type: 'frame' as const, nanoOffset: 0, data: Buffer.of(1) };
    send(8, flv.writeExAudio({ ...packet, track: 0 }, { ...packet, track: 1 }), 1);
    expect(audio).toHaveLength(1);
  });
});
