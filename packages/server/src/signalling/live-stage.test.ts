import type { ServerMessage } from '@footlights/model';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LiveStage } from './live-stage.ts';
import type { EventsSocket, Identity } from './participant.ts';
import { claimsFor, openTestStages } from './testing.ts';

type Stages = Awaited<ReturnType<typeof openTestStages>>;

let opened: Stages;

beforeEach(async () => {
  opened = await openTestStages({ sessionEndDelayMs: 80, publishers: 2, participants: 4 });
});

afterEach(() => opened.close());

class Socket implements EventsSocket {
  frames: string[] = [];
  closedWith: { code: number; last?: ServerMessage } | undefined;

  send(frame: string): void {
    this.frames.push(frame);
  }

  close(code: number, last?: ServerMessage): void {
    this.closedWith = { code, last };
  }

  last() {
    return JSON.parse(this.frames.at(-1) ?? 'null');
  }

  /** The payloads of one kind of message. */
  told<T extends ServerMessage['type']>(type: T) {
    const messages: ServerMessage[] = this.frames.map((frame) => JSON.parse(frame));
    return messages.filter((message) => message.type === type) as Extract<ServerMessage, { type: T }>[];
  }
}

const identity = (more: Parameters<typeof claimsFor>[1] = {}): Identity => ({
  claims: claimsFor(opened.stageArn, more),
  client: { browserName: 'Chrome' },
});

const stageOf = (who: Identity): Promise<LiveStage> => opened.stages.of(who.claims);

async function sessionId(): Promise<string | undefined> {
  return (await opened.store.getStage(opened.stageArn))?.activeSessionId;
}

/** Event names of a participant, oldest first. */
async function events(session: string, who: Identity) {
  const page = await opened.store.listEvents(opened.stageArn, session, who.claims.jti, {});
  return page.items.reverse().map((event) => (event.errorCode ? `${event.name} ${event.errorCode}` : event.name));
}

async function publish(stage: LiveStage, who: Identity) {
  const connection = stage.admitPublish(who);
  opened.stages.watch(connection.id, stage);
  stage.answered(connection);
  stage.connected(connection.id);
  await stage.flushed();
  return connection;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('joining', () => {
  test('starts a session, with a participant and its JOINED event; leaving records LEFT', async () => {
    const alice = identity({ user_id: 'alice', attributes: { role: 'host' } });
    const stage = await stageOf(alice);
    const socket = new Socket();
    expect(await sessionId()).toBeUndefined();
    stage.join(alice, socket);
    await stage.flushed();
    const session = await sessionId();
    expect(session).toMatch(/^st-[a-zA-Z0-9]{13}$/);
    const record = await opened.store.getParticipant(opened.stageArn, session ?? '', alice.claims.jti);
    expect(record).toMatchObject({
      userId: 'alice',
      attributes: { role: 'host' },
      state: 'CONNECTED',
      published: false,
    });
    stage.leave(alice.claims.jti, socket, true);
    await stage.flushed();
    expect(await events(session ?? '', alice)).toEqual(['JOINED', 'LEFT']);
    const left = await opened.store.getParticipant(opened.stageArn, session ?? '', alice.claims.jti);
    expect(left?.state).toBe('DISCONNECTED');
  });

  test('with the same token again tells the older socket TOKEN_REUSED and keeps the participant', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    const [first, second] = [new Socket(), new Socket()];
    stage.join(alice, first);
    stage.join(alice, second);
    expect(first.closedWith?.last).toEqual({ type: 'aws:ivs:DISCONNECT', payload: { code: 'TOKEN_REUSED' } });
    stage.leave(alice.claims.jti, first, true);
    expect(stage.counts().participants).toBe(1);
  });

  test('is refused above the quota of participants, and the one that is refused has a JOIN_ERROR', async () => {
    const joined = [identity(), identity(), identity(), identity()];
    const stage = await stageOf(joined[0] as Identity);
    for (const one of joined) stage.join(one, new Socket());
    const fifth = identity();
    expect(() => stage.join(fifth, new Socket())).toThrow(/4 participants.*--participants-per-stage/);
    await stage.flushed();
    expect(await events((await sessionId()) ?? '', fifth)).toEqual(['JOIN_ERROR QUOTA_EXCEEDED']);
  });

  test('is refused with a token that allows nothing', async () => {
    const nobody = identity({ capabilities: {} });
    const stage = await stageOf(nobody);
    expect(() => stage.join(nobody, new Socket())).toThrow(/neither/);
  });
});

describe('STAGE_STATE', () => {
  const viewer = () => identity({ capabilities: { allow_subscribe: true } });

  test('is not sent again for what it does not show: viewers that come, go and mute, and states set anew', async () => {
    const [alice, bob, carol] = [identity(), viewer(), viewer()];
    const stage = await stageOf(alice);
    const [aliceSocket, bobSocket, carolSocket] = [new Socket(), new Socket(), new Socket()];
    stage.join(alice, aliceSocket);
    stage.join(bob, bobSocket);
    stage.setState(alice.claims.jti, { audioMuted: true });
    await turn();
    const before = bobSocket.frames.length;
    stage.join(carol, carolSocket);
    await turn();
    stage.setState(carol.claims.jti, { audioMuted: true });
    await turn();
    stage.setState(alice.claims.jti, { audioMuted: true });
    await turn();
    stage.leave(carol.claims.jti, carolSocket, true);
    await turn();
    expect(bobSocket.frames).toHaveLength(before);
    stage.setState(alice.claims.jti, { audioMuted: false });
    await turn();
    expect(bobSocket.frames).toHaveLength(before + 1);
    expect(JSON.parse(stage.snapshot()).payload.participants).toHaveLength(1);
  });

  test('is sent less often the longer sending takes, and tells the last state', async () => {
    const [alice, bob] = [identity(), viewer()];
    const stage = await stageOf(alice);
    const socket = new Socket();
    vi.spyOn(socket, 'send').mockImplementation((frame) => {
      socket.frames.push(frame);
      for (const until = performance.now() + 20; performance.now() < until; );
    });
    stage.join(bob, socket);
    stage.join(alice, new Socket());
    const started = performance.now();
    let audioMuted = false;
    while (performance.now() - started < 500) {
      audioMuted = !audioMuted;
      stage.setState(alice.claims.jti, { audioMuted });
      await turn();
    }
    expect(socket.frames.length).toBeGreaterThan(2);
    expect(socket.frames.length).toBeLessThan(10);
    await vi.waitFor(() => expect(socket.last().payload.participants[0].audioMuted).toBe(audioMuted));
  });
});

describe('publishing', () => {
  test('is told to all sockets, with mutes merged, and recorded', async () => {
    const [alice, bob] = [identity({ user_id: 'alice' }), identity({ capabilities: { allow_subscribe: true } })];
    const stage = await stageOf(alice);
    const [aliceSocket, bobSocket] = [new Socket(), new Socket()];
    stage.join(alice, aliceSocket);
    stage.join(bob, bobSocket);
    stage.setState(alice.claims.jti, { audioMuted: true });
    stage.setState(alice.claims.jti, { videoStopped: true });
    const connection = await publish(stage, alice);
    await turn();
    expect(bobSocket.last().payload.participants).toEqual([
      {
        id: alice.claims.jti,
        userId: 'alice',
        attributes: {},
        isPublishing: true,
        audioMuted: true,
        videoStopped: true,
      },
    ]);
    opened.media.emit({ type: 'closed', connectionId: connection.id, reason: 'peer-closed' });
    await turn();
    expect(bobSocket.last().payload.participants[0].isPublishing).toBe(false);
    const numbers = bobSocket.frames.map((frame) => JSON.parse(frame).payload.sequenceNumber);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    await stage.flushed();
    expect(await events((await sessionId()) ?? '', alice)).toEqual(['JOINED', 'PUBLISH_STARTED', 'PUBLISH_STOPPED']);
  });

  test('without an events socket joins and leaves with the connection', async () => {
    const obs = identity();
    const stage = await stageOf(obs);
    const connection = await publish(stage, obs);
    const session = (await sessionId()) ?? '';
    opened.media.emit({ type: 'closed', connectionId: connection.id, reason: 'timeout' });
    await stage.flushed();
    expect(await events(session, obs)).toEqual(['JOINED', 'PUBLISH_STARTED', 'PUBLISH_STOPPED', 'LEFT']);
    const record = await opened.store.getParticipant(opened.stageArn, session, obs.claims.jti);
    expect(record).toMatchObject({ published: true, protocol: 'WHIP', state: 'DISCONNECTED' });
  });

  test('is refused above the quota, counting offers under way, and without the capability', async () => {
    const [first, second, third] = [identity(), identity(), identity()];
    const viewer = identity({ capabilities: { allow_subscribe: true } });
    const stage = await stageOf(first);
    for (const one of [first, third, viewer]) stage.join(one, new Socket());
    await publish(stage, first);
    stage.admitPublish(second);
    expect(() => stage.admitPublish(third)).toThrow(/2 publishers.*--publishers-per-stage/);
    expect(() => stage.admitPublish(viewer)).toThrow(/does not allow to publish/);
    expect(stage.admitPublish(first).role).toBe('publish');
    await stage.flushed();
    const session = (await sessionId()) ?? '';
    expect(await events(session, third)).toEqual(['JOINED', 'PUBLISH_ERROR QUOTA_EXCEEDED']);
    expect(await events(session, viewer)).toEqual(['JOINED', 'PUBLISH_ERROR INSUFFICIENT_CAPABILITIES']);
  });

  test('again replaces the earlier connection', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    const closed = vi.spyOn(opened.media, 'close');
    const first = await publish(stage, alice);
    const second = await publish(stage, alice);
    expect(closed).toHaveBeenCalledWith(first.id);
    expect(stage.counts().publishers).toBe(1);
    const { source } = stage.admitSubscribe(identity(), alice.claims.jti);
    expect(source).toEqual({ connectionId: second.id, stageId: stage.id });
  });

  test('twice at once keeps the newer connection, whichever is answered first', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    const closed: string[] = [];
    // A worker tells later that it has closed: both answers may be on their way by then.
    vi.spyOn(opened.media, 'close').mockImplementation((id) => void closed.push(id));
    for (const order of [(a: unknown, b: unknown) => [a, b], (a: unknown, b: unknown) => [b, a]]) {
      const [older, newer] = [stage.admitPublish(alice), stage.admitPublish(alice)];
      for (const connection of order(older, newer)) stage.answered(connection as typeof older);
      expect(closed).toContain(older.id);
      expect(closed).not.toContain(newer.id);
      stage.closed(older.id);
    }
  });
});

describe('stopped video', () => {
  test('is stopped in the media too, at once and for what is published later', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    stage.join(alice, new Socket());
    stage.setState(alice.claims.jti, { videoStopped: true });
    const first = await publish(stage, alice);
    expect(opened.media.videoStopped).toEqual([[first.id, true]]);
    stage.setState(alice.claims.jti, { audioMuted: true });
    stage.setState(alice.claims.jti, { videoStopped: false });
    expect(opened.media.videoStopped.slice(1)).toEqual([[first.id, false]]);
    const second = await publish(stage, alice);
    expect(opened.media.videoStopped.slice(2)).toEqual([]);
    stage.setState(alice.claims.jti, { videoStopped: true });
    expect(opened.media.videoStopped.slice(2)).toEqual([[second.id, true]]);
  });

  test('ends with the presence: an encoder that comes later is seen', async () => {
    const [alice, bob] = [identity(), identity()];
    const stage = await stageOf(alice);
    const socket = new Socket();
    stage.join(bob, new Socket());
    stage.join(alice, socket);
    stage.setState(alice.claims.jti, { videoStopped: true, audioMuted: true });
    stage.leave(alice.claims.jti, socket, true);
    await publish(stage, alice);
    expect(opened.media.videoStopped).toEqual([]);
    expect(JSON.parse(stage.snapshot()).payload.participants).toContainEqual(
      expect.objectContaining({ id: alice.claims.jti, isPublishing: true, audioMuted: false, videoStopped: false }),
    );
  });
});

describe('going beyond a limit', () => {
  test.each([
    ['bitrate-exceeded', 'BITRATE_EXCEEDED', '--max-publish-bitrate'],
    ['resolution-exceeded', 'RESOLUTION_EXCEEDED', '--max-publish-pixels'],
    ['duration-exceeded', 'STREAM_DURATION_EXCEEDED', '--max-duration'],
  ] as const)('%s: the publisher has a PUBLISH_ERROR %s, and is told', async (reason, code, setting) => {
    const alice = identity();
    const stage = await stageOf(alice);
    const socket = new Socket();
    stage.join(alice, socket);
    const { id: connectionId } = await publish(stage, alice);
    opened.media.emit({ type: 'closed', connectionId, reason });
    await stage.flushed();
    expect(await events((await sessionId()) ?? '', alice)).toEqual([
      'JOINED',
      'PUBLISH_STARTED',
      `PUBLISH_ERROR ${code}`,
      'PUBLISH_STOPPED',
    ]);
    expect(socket.told('footlights:CONNECTION_ENDED')).toMatchObject([
      { payload: { role: 'publish', code, message: expect.stringContaining(setting) } },
    ]);
  });

  test('in time: the subscriber has a SUBSCRIBE_ERROR, and is told whom it received', async () => {
    const [alice, bob] = [identity(), identity()];
    const stage = await stageOf(alice);
    const socket = new Socket();
    await publish(stage, alice);
    stage.join(bob, socket);
    const { connection } = stage.admitSubscribe(bob, alice.claims.jti);
    opened.stages.watch(connection.id, stage);
    stage.connected(connection.id);
    opened.media.emit({ type: 'closed', connectionId: connection.id, reason: 'duration-exceeded' });
    await stage.flushed();
    expect(await events((await sessionId()) ?? '', bob)).toEqual([
      'JOINED',
      'SUBSCRIBE_STARTED',
      'SUBSCRIBE_ERROR STREAM_DURATION_EXCEEDED',
      'SUBSCRIBE_STOPPED',
    ]);
    expect(socket.told('footlights:CONNECTION_ENDED')).toMatchObject([
      { payload: { role: 'subscribe', publisherId: alice.claims.jti } },
    ]);
  });
});

describe('active speakers', () => {
  const told = (socket: Socket) => socket.told('footlights:ACTIVE_SPEAKERS').map(({ payload }) => payload);
  const speak = (...speakers: [who: Identity, level: number][]) =>
    opened.media.emit({
      type: 'speakers',
      stageId: opened.stageArn.split('/')[1] ?? '',
      speakers: speakers.map(([who, level]) => ({ participantId: who.claims.jti, level })),
    });

  test('are told to all sockets when they change, the loudest first, and counted', async () => {
    const [alice, bob] = [identity(), identity()];
    const stage = await stageOf(alice);
    const socket = new Socket();
    stage.join(identity(), socket);
    await publish(stage, alice);
    await publish(stage, bob);
    speak([alice, 0.25], [bob, 0.5]);
    speak([bob, 0.5], [alice, 0.25]);
    await turn();
    expect(opened.stages.counts().speakers).toBe(2);
    speak([bob, 0.5], [alice, 0.25]);
    await turn();
    speak();
    await turn();
    const stageId = stage.id;
    const speakers = [
      { participantId: bob.claims.jti, level: 0.5 },
      { participantId: alice.claims.jti, level: 0.25 },
    ];
    expect(told(socket)).toEqual([
      { stageId, sequenceNumber: 1, speakers },
      { stageId, sequenceNumber: 2, speakers: [] },
    ]);
    expect(stage.speakersFrame()).toBeUndefined();
  });

  test('are none when they publish no more, also when the worker was lost that heard them', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    const socket = new Socket();
    stage.join(identity(), socket);
    const { id: connectionId } = await publish(stage, alice);
    speak([alice, 0.5]);
    await turn();
    opened.media.emit({ type: 'closed', connectionId, reason: 'worker-lost' });
    await turn();
    expect(told(socket).map(({ speakers }) => speakers.length)).toEqual([1, 0]);
  });

  test('that the stage does not know are not told, and those of other stages are not mixed in', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    await publish(stage, alice);
    speak([identity(), 0.5]);
    opened.media.emit({
      type: 'speakers',
      stageId: 'another',
      speakers: [{ participantId: alice.claims.jti, level: 1 }],
    });
    expect(stage.speakersFrame()).toBeUndefined();
  });
});

describe('subscribing', () => {
  test('records the publisher, and is refused for nobody who publishes and without the capability', async () => {
    const [alice, bob] = [identity(), identity()];
    const publisherOnly = identity({ capabilities: { allow_publish: true } });
    const stage = await stageOf(alice);
    for (const one of [bob, publisherOnly]) stage.join(one, new Socket());
    expect(() => stage.admitSubscribe(bob, alice.claims.jti)).toThrow(/is publishing/);
    await publish(stage, alice);
    const { connection } = stage.admitSubscribe(bob, alice.claims.jti);
    stage.connected(connection.id);
    stage.closed(connection.id);
    expect(() => stage.admitSubscribe(publisherOnly, alice.claims.jti)).toThrow(/does not allow to subscribe/);
    await stage.flushed();
    const session = (await sessionId()) ?? '';
    const page = await opened.store.listEvents(opened.stageArn, session, bob.claims.jti, {});
    expect(page.items.map(({ name, remoteParticipantId }) => [name, remoteParticipantId])).toEqual([
      ['SUBSCRIBE_STOPPED', alice.claims.jti],
      ['SUBSCRIBE_STARTED', alice.claims.jti],
      ['SUBSCRIBE_ERROR', alice.claims.jti],
      ['JOINED', undefined],
    ]);
    expect(await events(session, publisherOnly)).toEqual(['JOINED', 'SUBSCRIBE_ERROR INSUFFICIENT_CAPABILITIES']);
  });
});

test('a stage that somebody asked for and nobody joined is forgotten', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  try {
    const first = await stageOf(identity());
    expect(await stageOf(identity())).toBe(first);
    vi.advanceTimersByTime(1000);
    expect(await stageOf(identity())).not.toBe(first);
  } finally {
    vi.useRealTimers();
  }
});

describe('disconnecting by the API', () => {
  test('closes everything of the participant and bars its token for the session', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    const socket = new Socket();
    stage.join(alice, socket);
    await publish(stage, alice);
    expect(await opened.stages.disconnectParticipant(opened.stageArn, alice.claims.jti)).toBe(true);
    expect(socket.closedWith?.last).toEqual({
      type: 'aws:ivs:DISCONNECT',
      payload: { code: 'PARTICIPANT_DISCONNECTED' },
    });
    expect(stage.counts()).toEqual({ participants: 0, publishers: 0, subscriptions: 0, speakers: 0 });
    expect(() => stage.join(alice, new Socket())).toThrow(/disconnected/);
    expect(() => stage.admitPublish(alice)).toThrow(/disconnected/);
    const session = (await sessionId()) ?? '';
    expect(await events(session, alice)).toEqual(['JOINED', 'PUBLISH_STARTED', 'PUBLISH_STOPPED', 'LEFT']);
    expect((await opened.store.getParticipant(opened.stageArn, session, alice.claims.jti))?.barred).toBe(true);
  });

  test('of somebody whom the session does not know is false', async () => {
    expect(await opened.stages.disconnectParticipant(opened.stageArn, 'nobody')).toBe(false);
    const stage = await stageOf(identity());
    stage.join(identity(), new Socket());
    expect(await opened.stages.disconnectParticipant(opened.stageArn, 'nobody')).toBe(false);
  });
});

describe('a session', () => {
  test('outlives a short absence and ends after the delay', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    const socket = new Socket();
    stage.join(alice, socket);
    await stage.flushed();
    const session = await sessionId();
    stage.leave(alice.claims.jti, socket, true);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const again = new Socket();
    stage.join(alice, again);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await sessionId()).toBe(session);
    stage.leave(alice.claims.jti, again, true);
    await vi.waitFor(async () => expect(await sessionId()).toBeUndefined());
    expect((await opened.store.getSession(opened.stageArn, session ?? ''))?.endTime).toMatch(/Z$/);
    expect(await events(session ?? '', alice)).toEqual(['JOINED', 'LEFT', 'JOINED', 'LEFT']);
  });

  test('remembers as many viewers that left as may be there at once, and all others', async () => {
    const [host, barred] = [identity(), identity()];
    const viewers = Array.from({ length: 6 }, () => identity({ capabilities: { allow_subscribe: true } }));
    const stage = await stageOf(host);
    const [first, ...others] = viewers as [Identity, ...Identity[]];
    await publish(stage, host);
    const comeAndGo = (who: Identity) => {
      const socket = new Socket();
      stage.join(who, socket);
      stage.leave(who.claims.jti, socket, true);
    };
    for (const who of [first, barred]) comeAndGo(who);
    stage.disconnect(barred.claims.jti);
    stage.disconnect(host.claims.jti);
    for (const who of others.slice(0, 3)) comeAndGo(who);
    expect(stage.publication(first.claims.jti)).toBeDefined();
    comeAndGo(first);
    for (const who of others.slice(3)) comeAndGo(who);
    const known = viewers.map(({ claims }) => stage.publication(claims.jti) !== undefined);
    expect(known).toEqual([true, false, false, true, true, true]);
    expect(stage.publication(host.claims.jti)).toBeDefined();
    expect(() => stage.join(barred, new Socket())).toThrow(/disconnected/);
  });

  test('ends with the stage, whose participants are told STAGE_DELETED and whose tokens are refused', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    const socket = new Socket();
    stage.join(alice, socket);
    await opened.stages.stageDeleted(opened.stageArn);
    expect(socket.closedWith?.last).toEqual({ type: 'aws:ivs:DISCONNECT', payload: { code: 'STAGE_DELETED' } });
    expect(await sessionId()).toBeUndefined();
    await expect(opened.stages.of(alice.claims)).rejects.toMatchObject({ code: 'STAGE_DELETED' });
  });

  test.each([
    ['deleted', () => opened.stages.stageDeleted(opened.stageArn), 'STAGE_DELETED'],
    ['drained', () => opened.stages.drain(), 'UNAVAILABLE'],
  ])('takes nobody in whose request found the stage just before it was %s', async (_what, end, code) => {
    const [alice, bob] = [identity(), identity()];
    const stage = await stageOf(alice);
    stage.join(bob, new Socket());
    await end();
    expect(() => stage.join(alice, new Socket())).toThrow(expect.objectContaining({ code }));
    expect(() => stage.admitPublish(alice)).toThrow(expect.objectContaining({ code }));
    expect(() => stage.admitSubscribe(alice, bob.claims.jti)).toThrow(expect.objectContaining({ code }));
    expect(stage.sessionId).toBeUndefined();
    expect(stage.isIdle).toBe(true);
  });

  test('ends when the server drains: sockets are closed to come back, nobody is let in', async () => {
    const alice = identity();
    const stage = await stageOf(alice);
    const socket = new Socket();
    stage.join(alice, socket);
    await opened.stages.drain();
    expect(socket.closedWith).toEqual({ code: 1012, last: undefined });
    expect(await sessionId()).toBeUndefined();
    await expect(opened.stages.of(alice.claims)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
