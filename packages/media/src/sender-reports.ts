import { rtcp } from '@footlights/protocol';

/** A publisher's clock that steps by more than this is mapped anew. */
const MAX_STEP_MS = 1_000;
/**
 * How much of a difference each report makes good: clocks that run at different speeds would part by a second in hours, and
 * be mapped anew with a jump that audio and video see at different times. What a report was late on its way hardly counts.
 */
const FOLLOWED_SHARE = 1 / 256;

/**
 * Maps a publisher's wall clock to ours by one offset for all its tracks, so that subscribers can synchronise audio with
 * video whatever the publisher believes the time to be.
 */
export class PublisherClock {
  #offsetMs: number | undefined;

  /** Our time of a publisher's NTP time that has just arrived. */
  toLocal(ntp: rtcp.NtpTime, now: number): number {
    const theirs = rtcp.msFromNtp(ntp);
    const offset = now - theirs;
    const difference = offset - (this.#offsetMs ?? offset);
    if (this.#offsetMs === undefined || Math.abs(difference) > MAX_STEP_MS) this.#offsetMs = offset;
    else this.#offsetMs += difference * FOLLOWED_SHARE;
    return theirs + this.#offsetMs;
  }
}

/** The relation of RTP timestamps to our clock, taken from a track's sender reports (RFC 3550 section 6.4.1). */
export class TrackClock {
  readonly #clockRate: number;
  #reference: { localMs: number; timestamp: number } | undefined;

  /** `clockRate` in Hz. */
  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /** `localMs` is when, by our clock, the sampling instant `timestamp` was. */
  set(localMs: number, timestamp: number): void {
    this.#reference = { localMs, timestamp };
  }

  /** What was set last; undefined before. */
  get reference(): { localMs: number; timestamp: number } | undefined {
    return this.#reference;
  }

  /** When, by our clock, the sampling instant `timestamp` was; undefined before the first report. */
  timeOf(timestamp: number): number | undefined {
    if (!this.#reference) return undefined;
    const { localMs, timestamp: reference } = this.#reference;
    return localMs + (((timestamp - reference) | 0) * 1_000) / this.#clockRate;
  }

  /** The RTP timestamp that belongs to `now`; undefined before the first report. */
  timestampAt(now: number): number | undefined {
    if (!this.#reference) return undefined;
    const { localMs, timestamp } = this.#reference;
    return (timestamp + Math.round(((now - localMs) * this.#clockRate) / 1_000)) >>> 0;
  }
}
