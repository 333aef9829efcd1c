import type { DownTrack } from './down-track.ts';
import { Layer } from './layer.ts';
import { STALLED_FRAMES } from './limits.ts';
import { type Codec, isVideo, type Kind } from './negotiate/codecs.ts';
import type { TransportHost } from './rim/transport.ts';

/** What a track is, for those who make it and those who answer subscribers. */
export interface TrackDescription {
  kind: Kind;
  codec: Codec;
  /** As the publisher wrote it; subscribers are told the same. */
  fmtp: string;
  /** RIDs of the simulcast layers in the order of the offer; one `undefined` without simulcast. */
  encodingIds: readonly (string | undefined)[];
  /** The audio may come with redundancy, in encodings of this payload type (RFC 2198). */
  redEncoding?: number;
  /** False where nobody can be asked for a key frame: then more is kept for those who come between two. */
  keyFramesOnRequest?: boolean;
}

/** What a track needs of whoever receives it. */
export interface UpTrackOptions {
  description: TrackDescription;
  host: TransportHost;
  now: number;
  /** Asks the publisher for a key frame of the layer of this index. */
  requestKeyFrame(layer: number): void;
  /** A picture of another size begins. */
  resized?(layer: Layer): void;
}

/** One track of a publisher: its layers, and who follows which of them. */
export class UpTrack {
  readonly description: TrackDescription;
  readonly layers: readonly Layer[];
  /** The layer that each down-track follows, or waits for. */
  readonly #followed = new Map<DownTrack, Layer>();
  /** By layer: when its last packet came, and how many frames each layer had then. */
  readonly #noted: { at: number; frames: number[] }[];
  #stopped = false;

  constructor({ description, host, now, requestKeyFrame, resized = () => {} }: UpTrackOptions) {
    this.description = description;
    this.layers = description.encodingIds.map(
      (encodingId, index) => new Layer(description, encodingId, host, () => requestKeyFrame(index), { resized }, now),
    );
    this.#noted = this.layers.map(() => ({ at: 0, frames: this.layers.map(() => 0) }));
  }

  get kind(): Kind {
    return this.description.kind;
  }

  get codec(): Codec {
    return this.description.codec;
  }

  get isLayered(): boolean {
    return this.layers.length > 1;
  }

  get isWatched(): boolean {
    return this.#followed.size > 0;
  }

  /** The publisher has stopped its video: nothing is forwarded, whatever still comes. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Bits per second of all layers. */
  bitrate(now: number): number {
    return this.layers.reduce((sum, layer) => sum + layer.meter.bitrate(now), 0);
  }

  /** The layer that a down-track follows or waits for. */
  followed(downTrack: DownTrack): Layer | undefined {
    return this.#followed.get(downTrack);
  }

  /** Lets a down-track follow a layer: at once when it may begin with what is kept, else from its next key frame on. */
  follow(downTrack: DownTrack, layer: Layer, now: number): void {
    const before = this.#followed.get(downTrack);
    if (before === layer) return;
    this.#followed.set(downTrack, layer);
    if (before !== downTrack.layer) before?.stopWaiting(downTrack);
    if (downTrack.layer === layer) return;
    layer.await(downTrack, downTrack.layer === undefined, now);
  }

  remove(downTrack: DownTrack): void {
    this.#followed.get(downTrack)?.remove(downTrack);
    downTrack.layer?.remove(downTrack);
    this.#followed.delete(downTrack);
  }

  setStopped(stopped: boolean, now: number): void {
    if (this.#stopped === stopped) return;
    this.#stopped = stopped;
    for (const downTrack of this.#followed.keys()) downTrack.interrupt();
    for (const layer of this.layers) {
      layer.stopped = stopped;
      if (!stopped && layer.isWatched && isVideo(this.codec)) layer.keyFrames.request(now);
    }
  }

  /** Every tick. */
  tick(now: number): void {
    for (const [index, layer] of this.layers.entries()) {
      layer.tick(now);
      if (this.isLayered) this.#noteFrames(layer, index);
    }
  }

  /** Asks again for key frames that somebody waits for: requests can get lost. */
  remindOfWaiters(now: number): void {
    if (!isVideo(this.codec) || this.#stopped) return;
    for (const layer of this.layers) if (layer.isAwaited) layer.keyFrames.request(now);
  }

  /** The publisher sends the layer: a packet came lately, or no other layer has gone on since. */
  isActive(layer: Layer, now: number): boolean {
    if (layer.newest < 0) return false;
    if (!layer.isSilent(now)) return true;
    const before = this.#noted[this.layers.indexOf(layer)]?.frames ?? [];
    return !this.layers.some(({ counters }, index) => counters.frames - (before[index] ?? 0) >= STALLED_FRAMES);
  }

  /** The layers that are sent now, the smallest first; in the order of the offer while sizes are not known. */
  activeLayers(now: number): Layer[] {
    const active = this.layers.filter((layer) => this.isActive(layer, now));
    return active.every(({ width }) => width > 0)
      ? active.sort((a, b) => a.width * a.height - b.width * b.height)
      : active;
  }

  #noteFrames({ lastPacketAt }: Layer, index: number): void {
    const noted = this.#noted[index];
    if (!noted || noted.at === lastPacketAt) return;
    noted.at = lastPacketAt;
    for (const [other, { counters }] of this.layers.entries()) noted.frames[other] = counters.frames;
  }
}
