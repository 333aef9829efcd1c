import { opus } from '@footlights/protocol';
import type { Layer, LayerTap } from '../layer.ts';
import { clockRates } from '../negotiate/codecs.ts';
import { OpusToAac, WEBRTC_LOOK_AHEAD } from '../rim/av/index.ts';
import type { UpTrack } from '../up-track.ts';
import { AUDIO_BPS, MAX_QUEUED_UNITS } from './limits.ts';
import { type KeptPacket, PacketLine } from './packet-line.ts';
import { type ArrivalDelay, WallClock } from './wall-clock.ts';

/** One AAC access unit of 1,024 samples at 48 kHz. */
export interface AudioUnit {
  unit: Buffer;
  /** When its first sample was sampled, in milliseconds since 1970. */
  timeMs: number;
}

const SAMPLES_PER_MS = 48;
/** A frame of 20 ms without sound (RFC 6716): a line of sound begins with one. */
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);

export interface AudioSourceOptions {
  track: UpTrack;
  now(): number;
  delay: ArrivalDelay;
  onUnit(unit: AudioUnit): void;
}

/** A publisher's sound as AAC, on the clock on the wall: what is missing is silence. */
export class AudioSource {
  readonly #options: AudioSourceOptions;
  readonly #layer: Layer;
  readonly #clock: WallClock;
  readonly #line: PacketLine;
  readonly #tap: LayerTap;
  readonly #aac: OpusToAac;
  #packets: KeptPacket[] = [];
  #begun = false;

  constructor(options: AudioSourceOptions) {
    const { track, now, onUnit } = options;
    this.#options = options;
    this.#layer = track.layers[0] as Layer;
    this.#clock = new WallClock(this.#layer.clock, clockRates.opus, now());
    // An encoder's AAC was turned to Opus here, with timestamps that are right already.
    const lookAhead = track.description.keyFramesOnRequest === false ? 0 : WEBRTC_LOOK_AHEAD;
    this.#aac = new OpusToAac({ bitrate: AUDIO_BPS, lookAhead }, (unit, timestamp) =>
      onUnit({ unit, timeMs: timestamp / SAMPLES_PER_MS }),
    );
    this.#line = new PacketLine({ packet: (packet) => this.#keep(packet), gap: () => {} });
    this.#tap = (arrival) => {
      this.#clock.arrived(arrival.timestamp, now());
      this.#line.push(arrival, now());
    };
    this.#layer.tap(this.#tap);
  }

  get audioSpecificConfig(): Buffer {
    return this.#aac.audioSpecificConfig;
  }

  /** False while it is not known yet when packets were sampled. */
  isReady(now: number): boolean {
    return this.#clock.isReady(now);
  }

  /** Makes sound of what came; there is sound from `beginMs` on. */
  tick(now: number, beginMs: number | undefined): void {
    this.#line.tick(now);
    if (this.#clock.isReady(now)) this.#decode(now, beginMs);
  }

  /** Nothing that was sampled before `timeMs` comes any more. */
  advance(timeMs: number): void {
    if (this.#begun && this.#packets.length === 0) this.#aac.advance(Math.round(timeMs * SAMPLES_PER_MS));
  }

  /** There is sound up to `timeMs`; nothing follows. */
  close(now: number, beginMs: number | undefined): void {
    this.#layer.untap(this.#tap);
    this.#line.flush();
    this.#decode(now, beginMs);
    const { onUnit } = this.#options;
    this.#aac.finish((unit, timestamp) => onUnit({ unit, timeMs: timestamp / SAMPLES_PER_MS }));
  }

  #keep(packet: KeptPacket): void {
    if (this.#packets.length < MAX_QUEUED_UNITS) this.#packets.push(packet);
  }

  #decode(now: number, beginMs: number | undefined): void {
    const packets = this.#packets;
    this.#packets = [];
    for (const { payload, timestamp, redundant } of packets) {
      const timeMs = this.#clock.timeOf(timestamp);
      this.#options.delay.observe(now - timeMs, now);
      this.#begin(Math.min(timeMs - 20, beginMs ?? timeMs - 20));
      const start = redundant ? opus.red.primary(payload, 0, payload.length) : 0;
      if (start >= 0) this.#aac.push(payload.subarray(start), timeMs * SAMPLES_PER_MS);
    }
    if (beginMs !== undefined) this.#begin(beginMs);
  }

  #begin(timeMs: number): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#aac.push(SILENCE, timeMs * SAMPLES_PER_MS);
  }
}
