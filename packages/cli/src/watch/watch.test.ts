import { describe, expect, it } from 'vitest';
import { type Counters, ratesOf } from './rates.ts';
import { jsonLine, type StageView, tableLines } from './view.ts';

const counters = (more: Partial<Counters>): Counters => ({
  participantId: 'p',
  role: 'publish',
  connected: true,
  packetsReceived: 0,
  bytesReceived: 0,
  packetsSent: 0,
  bytesSent: 0,
  packetsLost: 0,
  ...more,
});

describe('rates', () => {
  it('come from the difference of two samples', () => {
    const before = { at: 1000, connections: [counters({ packetsReceived: 100, bytesReceived: 50_000 })] };
    const now = {
      at: 3000,
      connections: [
        counters({ packetsReceived: 190, bytesReceived: 300_000, packetsLost: 10, roundTripMs: 12 }),
        counters({ role: 'subscribe', packetsSent: 10, bytesSent: 2500 }),
        counters({ participantId: 'other', bytesReceived: 9e9 }),
      ],
    };
    expect(ratesOf('p', now, before)).toEqual({
      publishing: true,
      subscriptions: 1,
      bitrateIn: 1_000_000,
      bitrateOut: 10_000,
      loss: 10 / 110,
      roundTripMs: 12,
    });
  });

  it('need two samples, and never fall below zero when a connection is new', () => {
    const old = { at: 0, connections: [counters({ bytesReceived: 5000 })] };
    const fresh = { at: 1000, connections: [counters({ bytesReceived: 10 })] };
    expect(ratesOf('p', fresh, undefined)).toEqual({ publishing: true, subscriptions: 0 });
    expect(ratesOf('p', fresh, old)).toMatchObject({ bitrateIn: 0, loss: 0 });
    expect(ratesOf('gone', fresh, old)).toEqual({ publishing: false, subscriptions: 0 });
  });
});

describe('the table', () => {
  const view: StageView = {
    time: '2024-01-02T03:04:05.678Z',
    stageArn: 'arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh',
    name: 'demo',
    sessionId: 'st-1',
    participants: [
      { participantId: 'p1', userId: 'alice', state: 'CONNECTED', publishing: true, bitrateIn: 2_400_000, loss: 0.015 },
      { participantId: 'p2', userId: '日本', state: 'CONNECTED' },
    ],
  };
  // biome-ignore format: one line is read as one
  const plain = (lines: string[]): string[] => lines.map((line) => line.replaceAll(/\[\d+m/g, '').replaceAll(String.fromCharCode(27), ''));

  it('has a line for each participant', () => {
    expect(plain(tableLines(view, 100, 20))).toEqual([
      'demo  arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh',
      '03:04:05 UTC  session st-1  participants 2',
      '',
      'PARTICIPANT  USER   STATE      PUBLISHING  IN        OUT  LOSS  RTT',
      'p1           alice  connected  yes         2.4 Mb/s  -    1.5%  -',
      'p2           日本   connected  -           -         -    -     -',
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
