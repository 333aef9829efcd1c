/** Of a probe this share must have come back, by packets and by bytes. */
const MIN_SHARE = 0.8;
/** A train that arrives at more than this multiple of the rate at which it left was bunched up on the way. */
const MAX_SPEED_UP = 2;
/** One that arrives slower than this share filled the link, which gets a little less than was seen. */
const UNSATURATED = 0.9;
const UTILISATION = 0.95;
/** The least interval that times can resolve, in milliseconds: a shorter one is one burst. */
const MIN_INTERVAL_MS = 2;
const MAX_INTERVAL_MS = 1_000;

/** Fits a line through time over bytes, so that the jitter of the first and the last packet does not decide alone. */
class Slope {
  #n = 0;
  #bytes = 0;
  #time = 0;
  #square = 0;
  #product = 0;

  add(bytes: number, timeMs: number): void {
    this.#n++;
    this.#bytes += bytes;
    this.#time += timeMs;
    this.#square += bytes * bytes;
    this.#product += bytes * timeMs;
  }

  /** Milliseconds per byte. */
  get value(): number {
    const square = this.#square - (this.#bytes * this.#bytes) / this.#n;
    return square > 0 ? (this.#product - (this.#bytes * this.#time) / this.#n) / square : 0;
  }
}

/** One probe on its way: what was sent as part of it and how it arrived. */
export class ProbeTrain {
  readonly cluster: number;
  readonly bps: number;
  readonly bytes: number;
  readonly minPackets: number;
  readonly askedAt: number;
  sentPackets = 0;
  sentBytes = 0;
  lastSentAt = 0;
  /** Its result shows the limit of the path. */
  saturated = false;
  #receivedPackets = 0;
  #lostPackets = 0;
  #receivedBytes = 0;
  #firstSent = 0;
  #lastSent = 0;
  #firstArrival = 0;
  readonly #sending = new Slope();
  readonly #receiving = new Slope();

  constructor(probe: { cluster: number; bps: number; bytes: number; minPackets: number }, nowMs: number) {
    this.cluster = probe.cluster;
    this.bps = probe.bps;
    this.bytes = probe.bytes;
    this.minPackets = probe.minPackets;
    this.askedAt = nowMs;
  }

  /** True when nothing more needs to be sent. */
  get complete(): boolean {
    return this.sentBytes >= this.bytes && this.sentPackets >= this.minPackets;
  }

  sent(sizeBytes: number, nowMs: number): void {
    this.sentPackets++;
    this.sentBytes += sizeBytes;
    this.lastSentAt = nowMs;
  }

  /** Takes in the arrival of one of its packets. */
  received(sizeBytes: number, sentMs: number, arrivalMs: number): void {
    if (this.#receivedPackets === 0) {
      this.#firstSent = sentMs;
      this.#firstArrival = arrivalMs;
    }
    // A packet leaves after those before it and has arrived with its own last bit.
    this.#sending.add(this.#receivedBytes, sentMs - this.#firstSent);
    this.#receivedPackets++;
    this.#receivedBytes += sizeBytes;
    this.#receiving.add(this.#receivedBytes, arrivalMs - this.#firstArrival);
    this.#lastSent = sentMs;
  }

  /** One of its packets is reported lost, or has come after all. */
  lost(packets: number): void {
    this.#lostPackets += packets;
  }

  /** True when it is known of each of its packets what became of it. */
  get answered(): boolean {
    return this.#receivedPackets + this.#lostPackets >= this.sentPackets;
  }

  /** True when enough of it has come to measure by. */
  get isEnough(): boolean {
    const packets = Math.max(2, MIN_SHARE * this.minPackets);
    return this.#receivedPackets >= packets && this.#receivedBytes >= MIN_SHARE * this.bytes;
  }

  /** Bits per second that the path carried; undefined when too little came back or the times make no sense. */
  result(): number | undefined {
    if (!this.isEnough) return undefined;
    const interval = this.#lastSent - this.#firstSent;
    if (interval < 0 || interval > MAX_INTERVAL_MS) return undefined;
    // What left in one burst left at the rate that was asked for, for all that the clock says.
    const sendRate = interval < MIN_INTERVAL_MS ? this.bps : rateOf(this.#sending.value);
    const receiveRate = rateOf(this.#receiving.value);
    if (sendRate <= 0 || receiveRate <= 0 || receiveRate > MAX_SPEED_UP * sendRate) return undefined;
    this.saturated = receiveRate < UNSATURATED * sendRate;
    return this.saturated ? UTILISATION * receiveRate : Math.min(sendRate, receiveRate);
  }
}

const rateOf = (msPerByte: number) => (msPerByte > 0 ? 8_000 / msPerByte : 0);
