import { describe, expect, test } from 'vitest';
import { TrackClock } from '../sender-reports.ts';
import { CLOCK_SETTLE_MS, CLOCK_SLEW, CLOCK_WAIT_MS, MAX_SLEWED_STEP_MS } from './limits.ts';
import { WallClock } from './wall-clock.ts';

const RATE = 90_000;
const NOW = 1_700_000_000_000;
/** Timestamps wrap within the hour. */
const FIRST = 2 ** 32 - 100_000_000;

/** A track of 30 frames a second, whose reports say what `offset` makes of the time, in milliseconds. */
function play(seconds: number, offset: (second: number) => number, ppm = 0) {
  const reported = new TrackClock(RATE);
  const clock = new WallClock(reported, RATE, NOW);
  const placed: { trueMs: number; placedMs: number }[] = [];
  for (let frame = 0; frame < seconds * 30; frame++) {
    const trueMs = (frame * 1_000) / 30;
    const timestamp = (FIRST + Math.round(frame * 3_000 * (1 + ppm / 1e6))) >>> 0;
    if (frame % 30 === 0) reported.set(NOW + trueMs + offset(frame / 30), timestamp);
    clock.arrived(timestamp, NOW + trueMs);
    placed.push({ trueMs, placedMs: clock.timeOf(timestamp) - NOW });
  }
  return placed;
}

const steps = (placed: readonly { placedMs: number }[]) =>
  placed.slice(1).map(({ placedMs }, index) => placedMs - (placed[index]?.placedMs ?? 0));

describe('the time of frames', () => {
  test('is that of the reports, though timestamps wrap and the clock of the publisher is 200 ppm fast, for an hour', () => {
    const placed = play(3_600, () => 0, 200);
    const worst = Math.max(...placed.map(({ trueMs, placedMs }) => Math.abs(placedMs - trueMs)));
    // A second's drift, until the next report.
    expect(worst).toBeLessThan(1);
    expect(Math.min(...steps(placed))).toBeGreaterThan(33);
  });

  test('never goes back when reports do, and is right again at the rate of the limit', () => {
    const placed = play(60, (second) => (second === 0 ? 236 : 0));
    const frameMs = 1_000 / 30;
    for (const step of steps(placed)) expect(Math.abs(step - frameMs)).toBeLessThanOrEqual(frameMs * CLOCK_SLEW + 0.02);
    expect(placed[0]?.placedMs).toBe(236);
    const right = placed.findIndex(({ trueMs, placedMs }) => Math.abs(placedMs - trueMs) < 0.1) / 30;
    expect(right).toBeGreaterThan(236 / (1_000 * CLOCK_SLEW) - 1);
    expect(right).toBeLessThan(236 / (1_000 * CLOCK_SLEW) + 2);
  });

  test.each([
    ['at the limit, is made good little by little', MAX_SLEWED_STEP_MS, 35],
    ['above it, is a gap', MAX_SLEWED_STEP_MS + 1, MAX_SLEWED_STEP_MS + 1 + 34],
  ])('a step ahead %s', (_, step, most) => {
    const placed = play(60, (second) => (second < 10 ? 0 : step));
    expect(Math.max(...steps(placed))).toBeLessThan(most);
    expect(Math.max(...steps(placed))).toBeGreaterThan(most - 2);
    expect(Math.abs((placed.at(-1)?.placedMs ?? 0) - (placed.at(-1)?.trueMs ?? 0) - step)).toBeLessThan(0.1);
  });

  test('is that of the first packet and its timestamps where no report comes', () => {
    const clock = new WallClock(new TrackClock(RATE), RATE, NOW);
    for (let second = 0; second < 7_200; second++) {
      const timestamp = (FIRST + second * RATE) >>> 0;
      clock.arrived(timestamp, NOW + second * 1_000 + (second % 7) * 10);
      expect(clock.timeOf(timestamp)).toBeCloseTo(NOW + second * 1_000, 1);
    }
  });
});

test('a first report is given time to be corrected, and none is waited for longer', () => {
  const reported = new TrackClock(RATE);
  const clock = new WallClock(reported, RATE, NOW);
  expect(clock.isReady(NOW + CLOCK_WAIT_MS - 1)).toBe(false);
  expect(clock.isReady(NOW + CLOCK_WAIT_MS)).toBe(true);
  reported.set(NOW, 0);
  expect(clock.isReady(NOW + CLOCK_SETTLE_MS - 1)).toBe(false);
  expect(clock.isReady(NOW + CLOCK_SETTLE_MS)).toBe(true);
});
