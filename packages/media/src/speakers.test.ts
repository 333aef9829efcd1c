import { describe, expect, it } from 'vitest';
import { Speakers, VoiceMeter } from './speakers.ts';

/** Packets of 20 ms at one level from `from` on. */
function speak(meter: VoiceMeter, dBov: number, ms: number, from = 0): number {
  for (let now = from; now < from + ms; now += 20) meter.add(dBov, now);
  return from + ms;
}

describe('VoiceMeter', () => {
  it('hears speech after 100 ms of it, as loud as it was', () => {
    const meter = new VoiceMeter();
    speak(meter, 20, 80);
    expect(meter.level(80)).toBe(0);
    meter.add(20, 80);
    expect(meter.level(80)).toBeCloseTo(0.1);
  });

  it('hears no speech in the noise of a room, and in a click', () => {
    const meter = new VoiceMeter();
    expect(meter.level(speak(meter, 41, 2_000))).toBe(0);
    for (let now = 2_000; now < 6_000; now += 20) meter.add(now % 500 < 40 ? 10 : 127, now);
    expect(meter.level(6_000)).toBe(0);
  });

  it('takes nobody for silent whose packets do not tell their loudness', () => {
    const meter = new VoiceMeter();
    expect(meter.isSilent(0)).toBe(false);
    const end = speak(meter, 80, 500);
    expect(meter.isSilent(end)).toBe(true);
    expect(meter.isSilent(speak(meter, 20, 500, end))).toBe(false);
  });

  it('holds a speaker over a pause of less than a second', () => {
    const meter = new VoiceMeter();
    const end = speak(meter, 25, 500);
    expect(meter.level(end + 900)).toBeGreaterThan(0);
    expect(meter.level(end + 1_000)).toBe(0);
  });
});

describe('Speakers', () => {
  const names = (speakers: ReturnType<Speakers['update']>) => speakers?.map(({ participantId }) => participantId);

  it('tells who speaks, the loudest first, when that is news', () => {
    const speakers = new Speakers();
    expect(speakers.update([])).toBeUndefined();
    const [alice, bob] = [
      { participantId: 'alice', level: 0.1 },
      { participantId: 'bob', level: 0.5 },
    ];
    expect(names(speakers.update([alice, bob, { participantId: 'carol', level: 0 }]))).toEqual(['bob', 'alice']);
    expect(speakers.update([{ ...alice, level: 0.11 }, bob])).toBeUndefined();
    expect(
      names(
        speakers.update([
          { ...alice, level: 0.9 },
          { ...bob, level: 0.1 },
        ]),
      ),
    ).toEqual(['alice', 'bob']);
    expect(speakers.update([])).toEqual([]);
    expect(speakers.update([])).toBeUndefined();
  });
});
