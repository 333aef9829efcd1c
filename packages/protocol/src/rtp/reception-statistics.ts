import type { ReportBlock } from '../rtcp/types.ts';
import { sequenceDelta } from './sequence.ts';

// RFC 3550 A.1: how far a sequence number may jump before it counts as a restart.
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;
const MIN_CUMULATIVE = -0x800000;
const MAX_CUMULATIVE = 0x7fffff;

/**
 * What a receiver reports about one SSRC (RFC 3550 A.1, A.3, A.8). There is no probation: packets that arrive here have
 * passed SRTP's authentication, so the first one already proves the source.
 */
export class ReceptionStatistics {
  private readonly clockRate: number;
  private started = false;
  private base = 0;
  private highest = 0;
  private restartAt = -1;
  private received = 0;
  private expectedPrior = 0;
  private receivedPrior = 0;
  private lastTimestamp = 0;
  private lastArrivalMs = 0;
  private jitterUnits = 0;

  /** `clockRate` is the payload's RTP clock in Hz. */
  constructor(clockRate: number) {
    this.clockRate = clockRate;
  }

  /** Takes in one packet; `arrivalMs` may be of any clock that does not jump. */
  update(sequenceNumber: number, rtpTimestamp: number, arrivalMs: number): void {
    // A second packet in a row behind a large jump is a sender that has restarted.
    if (!this.started || sequenceNumber === this.restartAt) this.restart(sequenceNumber);
    else {
      const delta = sequenceDelta(sequenceNumber, this.highest & 0xffff);
      if (delta > MAX_DROPOUT || delta < -MAX_MISORDER) {
        this.restartAt = (sequenceNumber + 1) & 0xffff;
        return;
      }
      if (delta > 0) this.highest += delta;
      this.updateJitter(rtpTimestamp, arrivalMs);
    }
    this.restartAt = -1;
    this.received++;
    this.lastTimestamp = rtpTimestamp;
    this.lastArrivalMs = arrivalMs;
  }

  private restart(sequenceNumber: number): void {
    this.started = true;
    this.base = sequenceNumber;
    this.highest = sequenceNumber;
    this.received = 0;
    this.expectedPrior = 0;
    this.receivedPrior = 0;
    this.jitterUnits = 0;
  }

  /** RFC 3550 A.8; differences of timestamps are taken first, so that their wrap does no harm. */
  private updateJitter(rtpTimestamp: number, arrivalMs: number): void {
    const arrivalUnits = ((arrivalMs - this.lastArrivalMs) * this.clockRate) / 1000;
    const transit = Math.abs(arrivalUnits - ((rtpTimestamp - this.lastTimestamp) | 0));
    this.jitterUnits += (transit - this.jitterUnits) / 16;
  }

  /** Packets received since the start, duplicates included. */
  get packetsReceived(): number {
    return this.received;
  }

  /** Packets expected minus received (RFC 3550 A.3), clamped to 24 bits signed; duplicates can make it negative. */
  get cumulativeLost(): number {
    return Math.max(MIN_CUMULATIVE, Math.min(MAX_CUMULATIVE, this.expected() - this.received));
  }

  /** Interarrival jitter in RTP clock units. */
  get jitter(): number {
    return Math.floor(this.jitterUnits);
  }

  private expected(): number {
    return this.started ? this.highest - this.base + 1 : 0;
  }

  /**
   * The report block for `ssrc`; each call ends the interval of the fraction lost. `lastSr` is the middle 32 bits of the
   * last sender report's NTP time and `delaySinceLastSr` is in units of 1/65536 s, both 0 when none has come.
   */
  reportBlock(ssrc: number, lastSr: number, delaySinceLastSr: number): ReportBlock {
    const expected = this.expected();
    const expectedInterval = expected - this.expectedPrior;
    const lostInterval = expectedInterval - (this.received - this.receivedPrior);
    this.expectedPrior = expected;
    this.receivedPrior = this.received;
    return {
      ssrc,
      fractionLost:
        expectedInterval > 0 && lostInterval > 0
          ? Math.min(255, Math.floor((lostInterval * 256) / expectedInterval))
          : 0,
      cumulativeLost: this.cumulativeLost,
      highestSequenceNumber: this.highest >>> 0,
      jitter: Math.min(0xffffffff, this.jitter),
      lastSenderReport: lastSr,
      delaySinceLastSenderReport: delaySinceLastSr,
    };
  }
}
