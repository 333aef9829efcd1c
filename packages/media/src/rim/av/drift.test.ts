import { describe, expect, it } from 'vitest';
import { DriftControl } from './drift.ts';

const UNIT = 1_024;

/** Units of 1,024 samples through a resampler that does what it is told; timestamps in whole milliseconds of a clock that is off by `ppm`. */
function run(ppm: number, hours: number, jitter = 0): { worst: number; end: number; fastest: number } {
  const drift = new DriftControl();
  let seed = 11;
  let made = 0;
  let worst = 0;
  let fastest = 0;
  let rate = 0;
  let difference = 0;
  for (let i = 0; i * UNIT < hours * 3_600 * 48_000; i++) {
    seed = (seed * 48_271) % 2_147_483_647;
    const due = i * UNIT * (1 + ppm / 1e6);
    difference = due - made;
    const noise = ((seed / 2_147_483_647) * 2 - 1) * jitter;
    const correction = drift.observe(Math.round((due + noise) / 48) * 48 - made, UNIT);
    if (correction) rate = correction.samples / correction.over;
    fastest = Math.max(fastest, Math.abs(rate));
    worst = Math.max(worst, Math.abs(difference));
    made += UNIT * (1 + rate);
  }
  return { worst, end: difference, fastest };
}

describe('drift', () => {
  it('stays under 1 ms for an hour at 100 ppm, and under 3 ms at 1,000', () => {
    for (const ppm of [0, 20, 100, -100]) expect(run(ppm, 1).worst).toBeLessThan(48);
    for (const ppm of [1_000, -1_000]) expect(run(ppm, 1).worst).toBeLessThan(144);
  });

  it('is not moved by jitter of 10 ms', () => {
    const { worst, fastest } = run(50, 1, 480);
    expect(worst).toBeLessThan(5 * 48);
    expect(fastest).toBeLessThanOrEqual(0.004);
  });

  it('leaves exact timestamps alone', () => {
    expect(run(0, 0.5).fastest).toBe(0);
  });

  it('never corrects by more than 0.4 %', () => {
    const drift = new DriftControl();
    for (let i = 0; i < 1_000; i++) {
      const correction = drift.observe(1e9, UNIT);
      if (correction) expect(correction.samples / correction.over).toBeLessThanOrEqual(0.004);
    }
  });
});
