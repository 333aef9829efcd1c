import type { NtpTime, ReportBlock } from './types.ts';

/** Seconds from 1900 (NTP) to 1970 (Unix), RFC 868. */
const EPOCH_OFFSET = 2_208_988_800;
const TWO_32 = 2 ** 32;

/** NTP time of a Unix time in milliseconds (RFC 3550 4). */
export function ntpFromMs(ms: number): NtpTime {
  const seconds = Math.floor(ms / 1000);
  const fraction = Math.floor((ms / 1000 - seconds) * TWO_32);
  return { seconds: (seconds + EPOCH_OFFSET) % TWO_32, fraction };
}

/** Unix time in milliseconds of an NTP time; seconds before 1970 belong to the era that begins in 2036 (RFC 5905 6). */
export function msFromNtp(ntp: NtpTime): number {
  const era = ntp.seconds < EPOCH_OFFSET ? TWO_32 : 0;
  return (ntp.seconds + era - EPOCH_OFFSET + ntp.fraction / TWO_32) * 1000;
}

/** The middle 32 bits, in 1/65536 s: what LSR holds (RFC 3550 6.4.1). */
export function middle32(ntp: NtpTime): number {
  return (((ntp.seconds & 0xffff) << 16) | (ntp.fraction >>> 16)) >>> 0;
}

/** Round trip in milliseconds that a report block shows at Unix time `nowMs` (RFC 3550 6.4.1); undefined without LSR. */
export function roundTripMs(report: ReportBlock, nowMs: number): number | undefined {
  if (report.lastSenderReport === 0) return undefined;
  const units = (middle32(ntpFromMs(nowMs)) - report.lastSenderReport - report.delaySinceLastSenderReport) | 0;
  // Clock granularity can make a short trip come out slightly negative.
  return Math.max(0, (units * 1000) / 65536);
}
