import { describe, expect, it } from 'vitest';
import { backOff, describeFigures, eventsAddress } from './stage-client.ts';
import type { Token } from './token.ts';

describe('the wire', () => {
  it('joins the events address as IVS clients do', () => {
    const token = { eventsUrl: 'ws://host/events', topic: 'abc' } as Token;
    expect(eventsAddress(token)).toMatch(
      /^ws:\/\/host\/events\?error_over_ws=1&topic=abc\/publishers&traceid=1-[0-9a-f]{8}-[0-9a-f]{24}$/,
    );
  });

  it('waits from 0.5 s to 10 s, a quarter of it by chance', () => {
    expect([1, 2, 3, 4, 5, 6, 60].map((attempt) => backOff(attempt, () => 1))).toEqual([
      500, 1000, 2000, 4000, 8000, 10_000, 10_000,
    ]);
    expect(backOff(1, () => 0)).toBe(375);
  });
});

describe('figures', () => {
  const figures = { framesDecoded: 1, audioEnergy: 1, lossPercent: 0.25, bitrateKbps: 2140, layers: [] };

  it('are one line', () => {
    const video = { width: 1280, height: 720, framesPerSecond: 29.97, roundTripMs: 12, codec: 'H264' };
    expect(describeFigures({ ...figures, ...video })).toBe(
      '1280×720 · 30 fps · 2.1 Mbit/s · loss 0.3 % · RTT 12 ms · H264',
    );
    expect(describeFigures({ ...figures, ...video, layers: ['low', 'hi'] })).toMatch(/ · H264 · low hi$/);
  });

  it('leave out what is not known', () => {
    const audio = {
      width: undefined,
      height: undefined,
      framesPerSecond: undefined,
      roundTripMs: undefined,
      codec: undefined,
    };
    expect(describeFigures({ ...figures, ...audio, bitrateKbps: 40 })).toBe('audio only · 40 kbit/s · loss 0.3 %');
  });
});
