import { h264, video } from '@footlights/protocol';
import type { Layer, LayerTap } from '../layer.ts';
import type { VideoCodec } from '../media.ts';
import { clockRates } from '../negotiate/codecs.ts';
import { MAX_QUEUED_UNITS } from './limits.ts';
import { type KeptPacket, PacketLine } from './packet-line.ts';
import { WallClock } from './wall-clock.ts';

/** One encoded picture: H.264 as NAL units, anything else as its decoder takes it. */
export interface Picture {
  nalUnits?: Buffer[];
  frame?: Buffer;
  keyFrame: boolean;
  timestamp: number;
}

const facts = video.emptyFacts();
const IDR = 5;

/** Makes pictures of one layer's packets. After a loss nothing comes before the next key frame: what refers to it would be broken. */
export class LayerReader {
  readonly layer: Layer;
  readonly clock: WallClock;
  /** In the order of decoding. */
  pictures: Picture[] = [];
  /** A key frame is needed to go on. */
  needsKeyFrame = true;
  readonly #now: () => number;
  readonly #line: PacketLine;
  readonly #tap: LayerTap;
  readonly #nalUnits: h264.NalAssembler | undefined;
  readonly #frames: video.FrameAssembler | undefined;
  #timestamp: number | undefined;
  #keyFrame = false;
  #packets = 0;

  constructor(layer: Layer, now: () => number) {
    this.layer = layer;
    this.#now = now;
    const codec = layer.codec as VideoCodec;
    this.clock = new WallClock(layer.clock, clockRates[codec], now());
    if (codec === 'H264') this.#nalUnits = new h264.NalAssembler();
    else this.#frames = new video.FrameAssembler(codec);
    this.#line = new PacketLine({ packet: (packet) => this.#onPacket(packet), gap: () => this.#onGap() });
    this.#tap = (arrival) => this.#line.push(arrival, now());
    layer.tap(this.#tap);
  }

  tick(now: number): void {
    this.#line.tick(now);
  }

  /** What waits becomes pictures; nothing follows. */
  close(): void {
    this.layer.untap(this.#tap);
    this.#line.flush();
    this.#complete();
  }

  #onPacket({ payload, timestamp, marker }: KeptPacket): void {
    this.clock.arrived(timestamp, this.#now());
    if (timestamp !== this.#timestamp) this.#complete();
    this.#timestamp = timestamp;
    this.#packets += 1;
    if (this.#frames) {
      video.inspect(this.layer.codec as VideoCodec, facts, payload, 0, payload.length);
      if (facts.valid && facts.keyFrame) this.#keyFrame = true;
    }
    this.#nalUnits?.push(payload, 0, payload.length);
    this.#frames?.push(payload, 0, payload.length);
    if (marker) this.#complete();
  }

  #onGap(): void {
    this.#nalUnits?.take();
    this.#frames?.take();
    this.#packets = 0;
    this.needsKeyFrame = true;
  }

  #complete(): void {
    if (this.#packets === 0 || this.#timestamp === undefined) return;
    const [timestamp, isKeyFrame] = [this.#timestamp, this.#keyFrame];
    this.#packets = 0;
    this.#keyFrame = false;
    if (this.#frames) this.#add({ frame: this.#frames.take(), keyFrame: isKeyFrame, timestamp });
    else {
      const nalUnits = this.#nalUnits?.take();
      const keyFrame = nalUnits?.some((unit) => (unit[0]! & 0x1f) === IDR) ?? false;
      this.#add({ nalUnits, keyFrame, timestamp });
    }
  }

  #add(picture: Picture): void {
    const isWhole = picture.frame !== undefined || (picture.nalUnits?.length ?? 0) > 0;
    if (!isWhole || this.pictures.length >= MAX_QUEUED_UNITS) {
      this.needsKeyFrame = true;
      return;
    }
    if (picture.keyFrame) this.needsKeyFrame = false;
    if (!this.needsKeyFrame) this.pictures.push(picture);
  }
}
