import { describe, expect, it } from 'vitest';
import { type Counters, type ParticipantCounters, ratesOf, type Sample } from './rates.ts';
import { jsonLine, type StageView, tableLines } from './view.ts';

const counters = (more: Partial<Counters> = {}): Counters => ({
  connected: true,
  packetsReceived: 0,
  bytesReceived: 0,
  packetsSent: 0,
  bytesSent: 0,
  packetsLost: 0,
  tracks: [],
  ...more,
});

const sample = (at: number, ...participants: Partial<ParticipantCounters>[]): Sample => ({
  at,
  participants: participants.map((one) => ({ participantId: 'p', subscriptions: [], ...one })),
  speakers: ['p'],
});

const received = (publisherId: string, more: Partial<Counters> = {}) => ({ publisherId, ...counters(more) });

describe('rates', () => {
  it('come from the difference of two samples', () => {
    const before = sample(1000, {
      publication: counters({ packetsReceived: 100, bytesReceived: 50_000 }),
      subscriptions: [received('q')],
    });
    const layers = [
      { encodingId: 'low', active: true },
      { encodingId: 'hi', active: false },
    ];
    const now = sample(
      3000,
      {
        publication: counters({
          packetsReceived: 190,
          bytesReceived: 300_000,
          packetsLost: 10,
          roundTripMs: 12,
          tracks: [{ kind: 'audio' }, { kind: 'video', layers }],
        }),
        subscriptions: [
          received('q', {
            packetsSent: 9,
            packetsLost: 1,
            bytesSent: 2500,
            estimatedBps: 700_000,
            roundTripMs: 30,
            tracks: [{ kind: 'video', layer: 'mid' }],
          }),
          received('r', { connected: false }),
        ],
      },
      { participantId: 'other', publication: counters({ bytesReceived: 9e9 }) },
    );
    expect(ratesOf('p', now, before)).toEqual({
      publishing: true,
      speaking: true,
      layers: ['low'],
      bitrateIn: 1_000_000,
      bitrateOut: 10_000,
      loss: 11 / 110,
      roundTripMs: 12,
      subscriptions: [
        { publisherId: 'q', layer: 'mid', bitrate: 10_000, loss: 0.1, roundTripMs: 30, estimatedBps: 700_000 },
      ],
    });
  });

  it('need two samples, and never fall below zero when a connection is new', () => {
    const old = sample(0, { publication: counters({ bytesReceived: 5000 }), subscriptions: [received('q')] });
    const fresh = sample(1000, {
      publication: counters({ bytesReceived: 10 }),
      subscriptions: [received('r', { bytesSent: 1 })],
    });
    const nothing = { publishing: true, speaking: true, subscriptions: [{ publisherId: 'r' }] };
    expect(ratesOf('p', fresh, undefined)).toEqual(nothing);
    expect(ratesOf('p', fresh, old)).toMatchObject({ ...nothing, bitrateIn: 0, loss: 0 });
    expect(ratesOf('gone', fresh, old)).toEqual({ publishing: false, speaking: false, subscriptions: [] });
  });
});

describe('the table', () => {
  const view: StageView = {
    time: '2024-01-02T03:04:05.678Z',
    stageArn: 'arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh',
    name: 'demo',
    sessionId: 'st-1',
    participants: [
      {
        participantId: 'p1',
        userId: 'alice',
        state: 'CONNECTED',
        publishing: true,
        speaking: true,
        layers: ['low', 'mid'],
        bitrateIn: 2_400_000,
        loss: 0.015,
        subscriptions: [],
      },
      {
        participantId: 'p2',
        userId: '日本',
        state: 'CONNECTED',
        publishing: false,
        speaking: false,
        subscriptions: [
          { publisherId: 'p1', layer: 'mid', bitrate: 700_000, loss: 0, roundTripMs: 31.6, estimatedBps: 1_500_000 },
        ],
      },
      { participantId: 'p3', userId: 'carol', state: 'CONNECTED' },
    ],
  };
  // biome-ignore format: one line is read as one
  const plain = (lines: string[]): string[] => lines.map((line) => line.replaceAll(/\[\d+m/g, '').replaceAll(String.fromCharCode(27), ''));

  it('has a line for each participant', () => {
    expect(plain(tableLines(view, 120, 20))).toEqual([
      'demo  arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh',
      '03:04:05 UTC  session st-1  participants 3',
      '',
      'PARTICIPANT  USER   STATE      PUBLISHING  LAYER    IN        OUT       LOSS  RTT    ESTIMATE',
      'p1           alice  connected  speaking    low mid  2.4 Mb/s  -         1.5%  -',
      'p2           日本   connected  no          -        -         -         -     -',
      '  gets p1    alice                         mid                700 kb/s  0.0%  32 ms  1.5 Mb/s',
      'p3           carol  connected  -           -        -         -         -     -',
      'Ctrl-C ends',
    ]);
  });

  it('fits the terminal', () => {
    const many = { ...view, participants: Array.from({ length: 30 }, () => view.participants[0]!) };
    const lines = plain(tableLines(many, 30, 12));
    expect(lines.length).toBeLessThan(12);
    expect(Math.max(...lines.map((line) => line.length))).toBe(30);
    expect(lines.at(-1)).toBe('24 more');
  });

  it('says when nobody is there, and why something is missing', () => {
    const lines = plain(tableLines({ ...view, participants: [], notice: 'no bitrates: why' }, 80, 24));
    expect(lines).toContain('nobody is here');
    expect(lines).toContain('no bitrates: why');
  });

  it('is one line of JSON elsewhere', () => {
    expect(JSON.parse(jsonLine(view))).toEqual(view);
    expect(jsonLine(view)).not.toContain('\n');
  });
});
