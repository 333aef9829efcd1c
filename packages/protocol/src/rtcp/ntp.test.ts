import { expect, it } from 'vitest';
import { middle32, msFromNtp, ntpFromMs, roundTripMs } from './ntp.ts';

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 250);

it('counts seconds from 1900 and fractions of 2^32 (RFC 3550 4)', () => {
  expect(ntpFromMs(0)).toEqual({ seconds: 2_208_988_800, fraction: 0 });
  expect(ntpFromMs(500)).toEqual({ seconds: 2_208_988_800, fraction: 0x80000000 });
});

it.each([at, Date.UTC(2036, 1, 7, 6, 28, 16), Date.UTC(2050, 0, 1)])('comes back to %i', (ms) => {
  const ntp = ntpFromMs(ms);
  expect(ntp.seconds).toBeLessThan(2 ** 32);
  expect(msFromNtp(ntp)).toBeCloseTo(ms, 3);
});

it('cuts the middle out', () => {
  expect(middle32({ seconds: 0xaaaabbbb, fraction: 0xccccdddd })).toBe(0xbbbbcccc);
});

it('measures the round trip of a report', () => {
  const report = {
    ssrc: 1,
    fractionLost: 0,
    cumulativeLost: 0,
    highestSequenceNumber: 0,
    jitter: 0,
    lastSenderReport: middle32(ntpFromMs(at)),
    delaySinceLastSenderReport: 65536,
  };
  expect(roundTripMs(report, at + 1080)).toBeCloseTo(80, 1);
  expect(roundTripMs(report, at + 900)).toBe(0);
  expect(roundTripMs({ ...report, lastSenderReport: 0 }, at)).toBeUndefined();
});
