import { rtcp } from '@footlights/protocol';
import { describe, expect, it } from 'vitest';
import { PublisherClock, TrackClock } from './sender-reports.ts';

describe('PublisherClock', () => {
  const now = 1_800_000_000_000;

  it('maps all reports by the offset of the first, so that tracks stay together', () => {
    const clock = new PublisherClock();
    const theirs = now - 3_600_000;
    expect(clock.toLocal(rtcp.ntpFromMs(theirs), now)).toBeCloseTo(now, 0);
    // The second one travelled 80 ms longer: it is not later for that.
    expect(clock.toLocal(rtcp.ntpFromMs(theirs + 1_000), now + 1_080)).toBeCloseTo(now + 1_000, 0);
  });

  it('follows a clock that runs at another speed without ever parting the tracks', () => {
    const clock = new PublisherClock();
    const [audio, video] = [new TrackClock(1_000), new TrackClock(1_000)];
    let apart = 0;
    for (let second = 0; second < 8 * 3_600; second++) {
      // 100 millionths too fast; video reports each second, audio each fifth, both by the same true time.
      const theirs = now + second * 1_000.1;
      const local = clock.toLocal(rtcp.ntpFromMs(theirs), now + second * 1_000);
      video.set(local, second * 1_000);
      if (second % 5 === 0) audio.set(local, second * 1_000);
      const at = now + second * 1_000;
      apart = Math.max(apart, Math.abs((video.timestampAt(at) ?? 0) - (audio.timestampAt(at) ?? 0)));
      expect(Math.abs(local - at)).toBeLessThan(50);
    }
    expect(apart).toBeLessThan(5);
  });

  it('maps anew when the publisher sets its clock', () => {
    const clock = new PublisherClock();
    clock.toLocal(rtcp.ntpFromMs(now), now);
    expect(clock.toLocal(rtcp.ntpFromMs(now + 60_000), now + 1_000)).toBeCloseTo(now + 1_000, 0);
  });
});

describe('TrackClock', () => {
  it('knows nothing before the first report', () => {
    expect(new TrackClock(90_000).timestampAt(5)).toBeUndefined();
  });

  it('extends the last report to now, across the wrap of the timestamp', () => {
    const clock = new TrackClock(90_000);
    clock.set(1_000, 0xffffff00);
    expect(clock.timestampAt(1_000)).toBe(0xffffff00);
    expect(clock.timestampAt(1_010)).toBe(900 - 0x100);
    expect(clock.timestampAt(990)).toBe(0xffffff00 - 900);
  });
});
