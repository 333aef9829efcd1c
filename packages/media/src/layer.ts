import { opus, rtp, video } from '@footlights/protocol';
import type { DownTrack } from './down-track.ts';
import { KeyFrameRequests } from './key-frames.ts';
import { LayerMeter } from './layer-meter.ts';
import { emptyLayerPacket, type LayerPacket } from './layer-packet.ts';
import { AUDIO_CACHE, REORDERED_MS, REPLAY, REPLAY_WITHOUT_REQUESTS, STALLED_MS, VIDEO_CACHE } from './limits.ts';
import { type Codec, clockRates, isVideo } from './negotiate/codecs.ts';
import { PacketCache } from './packet-cache.ts';
import { HEADROOM, type TransportHost } from './rim/transport.ts';
import { TrackClock } from './sender-reports.ts';

/** The payload of a packet as a layer is given it: in a buffer of the giver's, counted in the layer's order. */
export interface Arrival {
  buffer: Buffer;
  payloadOffset: number;
  payloadEnd: number;
  number: number;
  timestamp: number;
  marker: boolean;
  /** Audio with the encodings before it (RFC 2198). */
  redundant: boolean;
}

export function emptyArrival(): Arrival {
  return {
    buffer: Buffer.alloc(0),
    payloadOffset: 0,
    payloadEnd: 0,
    number: 0,
    timestamp: 0,
    marker: false,
    redundant: false,
  };
}

/** Gets every packet of a layer as it came; it keeps nothing of the arrival. */
export type LayerTap = (arrival: Arrival) => void;

/** What a layer tells its track. */
export interface LayerListener {
  /** A picture of another size begins. */
  resized(layer: Layer): void;
}

/** What is remembered of the last key frame. */
interface KeyFrame {
  number: number;
  timestamp: number;
  at: number;
}

const facts = video.emptyFacts();
/** Redundant audio that has not been looked into, or that is malformed. */
const UNKNOWN = -1;

/** One encoding of a track, a simulcast layer or all there is: keeps its last packets, measures it, fans it out. */
export class Layer {
  /** The RID; absent without simulcast. */
  readonly encodingId: string | undefined;
  readonly codec: Codec;
  readonly cache: PacketCache;
  readonly clock: TrackClock;
  readonly keyFrames: KeyFrameRequests;
  readonly meter: LayerMeter;
  readonly counters = { frames: 0, keyFrames: 0 };
  /** Of the picture; 0 until a key frame told. */
  width = 0;
  height = 0;
  /** Nothing is forwarded. */
  stopped = false;
  readonly #replay: { packets: number; ageMs: number };
  readonly #host: TransportHost;
  readonly #listener: LayerListener;
  /** Who gets every packet, and who begins here at the next key frame. */
  readonly #members: DownTrack[] = [];
  readonly #waiting: DownTrack[] = [];
  readonly #taps: LayerTap[] = [];
  /** The destinations of the packet at hand; reused for each. */
  readonly #batch: DownTrack[] = [];
  readonly #packet = emptyLayerPacket();
  readonly #replayed = emptyLayerPacket();
  #newest = -1;
  #newestTimestamp = -1;
  #temporalLayer = 0;
  #lastPacketAt = Number.NEGATIVE_INFINITY;
  #keyFrame: KeyFrame | undefined;

  constructor(
    { codec, keyFramesOnRequest = true }: { codec: Codec; keyFramesOnRequest?: boolean },
    encodingId: string | undefined,
    host: TransportHost,
    requestKeyFrame: () => void,
    listener: LayerListener,
    now: number,
  ) {
    this.codec = codec;
    this.#replay = keyFramesOnRequest ? REPLAY : REPLAY_WITHOUT_REQUESTS;
    this.encodingId = encodingId;
    this.#host = host;
    this.#listener = listener;
    this.cache = new PacketCache(isVideo(codec) ? VIDEO_CACHE : AUDIO_CACHE);
    this.clock = new TrackClock(clockRates[codec]);
    this.keyFrames = new KeyFrameRequests(requestKeyFrame);
    this.meter = new LayerMeter(now);
  }

  /** Number of the newest packet; -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** RTP timestamp of the newest frame. */
  get newestTimestamp(): number {
    return this.#newestTimestamp;
  }

  get lastPacketAt(): number {
    return this.#lastPacketAt;
  }

  /** Somebody waits for a key frame. */
  get isAwaited(): boolean {
    const waits = (downTrack: DownTrack) => downTrack.waiting && !downTrack.paused;
    return this.#waiting.some((downTrack) => !downTrack.paused) || this.#members.some(waits);
  }

  /** When the last key frame began; minus infinity before the first. */
  get keyFrameAt(): number {
    return this.#keyFrame?.at ?? Number.NEGATIVE_INFINITY;
  }

  get isWatched(): boolean {
    return this.#members.length > 0 || this.#waiting.length > 0;
  }

  isSilent(now: number): boolean {
    return now - this.#lastPacketAt >= STALLED_MS;
  }

  /** Takes in a packet that is no duplicate. */
  receive(arrival: Arrival, now: number): void {
    const packet = this.#packet;
    this.#describe(packet, arrival);
    const newest = packet.number > this.#newest;
    if (newest) this.#advance(packet, now);
    const beginsKeyFrame = packet.startable && (this.codec === 'opus' || this.#noteKeyFrame(packet, newest, now));
    packet.startable = beginsKeyFrame;
    const octets = arrival.payloadEnd - arrival.payloadOffset;
    this.meter.add(octets + rtp.HEADER_LENGTH, packet.temporalLayer, newest && packet.startsFrame, now);
    if (!this.cache.store(packet, arrival.buffer, arrival.payloadOffset, arrival.payloadEnd)) return;
    if (arrival.redundant) packet.primaryOffset = opus.red.primary(packet.buffer, HEADROOM, packet.buffer.length);
    for (const tap of this.#taps) tap(arrival);
    if (this.stopped) return;
    this.#fanOut(packet, now);
    if (beginsKeyFrame && this.#waiting.length > 0) this.#startWaiters(packet.number, now);
  }

  /** Forwards to a down-track from the next key frame on; `replay` lets it begin with the last one when that is recent. */
  await(downTrack: DownTrack, replay: boolean, now: number): void {
    if (this.codec === 'opus') {
      downTrack.attach(this);
      this.#members.push(downTrack);
      return;
    }
    if (!this.#waiting.includes(downTrack)) this.#waiting.push(downTrack);
    if (replay && this.#canReplay(now)) this.#startWaiters(this.#keyFrame?.number ?? 0, now);
    else this.keyFrames.request(now);
  }

  /** Gives all packets from now on to `tap`, and first those since the last key frame. */
  tap(tap: LayerTap): void {
    const from = this.#keyFrame?.number;
    if (from !== undefined && this.#newest - from < this.#replay.packets) {
      for (let number = from; number <= this.#newest; number++) this.#recall(number, tap);
    }
    this.#taps.push(tap);
  }

  untap(tap: LayerTap): void {
    const index = this.#taps.indexOf(tap);
    if (index >= 0) this.#taps.splice(index, 1);
  }

  /** Ends forwarding to a down-track, and its waiting. */
  remove(downTrack: DownTrack): void {
    removeFrom(this.#members, downTrack);
    this.stopWaiting(downTrack);
  }

  stopWaiting(downTrack: DownTrack): void {
    removeFrom(this.#waiting, downTrack);
  }

  tick(now: number): void {
    this.meter.tick(now);
    this.keyFrames.tick(now);
  }

  #describe(
    packet: LayerPacket,
    { buffer, payloadOffset, payloadEnd, number, timestamp, marker, redundant }: Arrival,
  ): void {
    packet.number = number;
    packet.timestamp = timestamp;
    packet.marker = marker;
    packet.startsFrame = timestamp !== this.#newestTimestamp;
    packet.primaryOffset = redundant ? UNKNOWN : 0;
    if (!isVideo(this.codec)) {
      packet.startable = true;
      return;
    }
    video.inspect(this.codec, facts, buffer, payloadOffset, payloadEnd);
    packet.startable = facts.valid && facts.keyFrame;
    // A packet that does not tell belongs to the frame before it.
    packet.temporalLayer = facts.valid && facts.temporalLayer >= 0 ? facts.temporalLayer : this.#temporalLayer;
    packet.switchingPoint = facts.switchingPoint;
    packet.pictureId = facts.valid ? facts.pictureId : -1;
    packet.pictureIdBits = facts.valid ? facts.pictureIdBits : 0;
    packet.pictureIdOffset = facts.pictureIdOffset;
    packet.tl0PicIdx = facts.valid ? facts.tl0PicIdx : -1;
    packet.tl0PicIdxOffset = packet.tl0PicIdx < 0 ? 0 : facts.tl0PicIdxOffset;
    packet.flatLayerOffset = canBeFlat(packet) ? facts.temporalLayerOffset : 0;
    if (facts.valid && facts.width > 0) this.#resize(facts.width, facts.height);
  }

  #advance(packet: LayerPacket, now: number): void {
    this.#newest = packet.number;
    this.#newestTimestamp = packet.timestamp;
    this.#temporalLayer = packet.temporalLayer;
    this.#lastPacketAt = now;
    if (packet.startsFrame) this.counters.frames += 1;
  }

  /** True for the packet that begins a key frame, of several slices the first alone; one that was overtaken may come a little late. */
  #noteKeyFrame({ number, timestamp }: LayerPacket, newest: boolean, now: number): boolean {
    const last = this.#keyFrame;
    if (last && timestamp === last.timestamp) return false;
    if (!newest && (number < (last?.number ?? 0) || !this.#isRecent(number, timestamp))) return false;
    this.#keyFrame = { number, timestamp, at: now };
    this.counters.keyFrames += 1;
    this.keyFrames.arrived();
    return true;
  }

  #isRecent(number: number, timestamp: number): boolean {
    const behindMs = (((this.#newestTimestamp - timestamp) | 0) * 1_000) / clockRates[this.codec];
    return behindMs >= 0 && behindMs <= REORDERED_MS && this.#newest - number < this.#replay.packets;
  }

  #resize(width: number, height: number): void {
    if (width === this.width && height === this.height) return;
    this.width = width;
    this.height = height;
    this.#listener.resized(this);
  }

  #fanOut(packet: LayerPacket, now: number): void {
    let count = 0;
    for (const downTrack of this.#members) {
      if (downTrack.admit(packet, now)) this.#batch[count++] = downTrack;
    }
    if (count === 0 || packet.primaryOffset === UNKNOWN) return;
    if (packet.primaryOffset > 0) this.#fanOutRedundant(packet, count);
    else this.#host.fanOut(packet, this.#batch, count);
  }

  /** As it came to those who can read it, then its newest encoding alone to the others: their header goes over the rest. */
  #fanOutRedundant(packet: LayerPacket, count: number): void {
    const all = this.#batch.slice(0, count);
    const readers = all.filter(({ takesRedundancy }) => takesRedundancy);
    const others = all.filter(({ takesRedundancy }) => !takesRedundancy);
    this.#host.fanOut(packet, readers, readers.length);
    packet.buffer = packet.buffer.subarray(packet.primaryOffset - HEADROOM);
    this.#host.fanOut(packet, others, others.length);
  }

  /** Those who wait begin at packet `from`, and get what has come since. */
  #startWaiters(from: number, now: number): void {
    for (const downTrack of [...this.#waiting]) {
      if (downTrack.paused) continue;
      this.stopWaiting(downTrack);
      if (!this.cache.get(from, this.#replayed)) continue;
      downTrack.begin(this, this.#replayed, now);
      this.#members.push(downTrack);
      for (let number = from; number <= this.#newest; number++) this.#sendKept(downTrack, number, now);
    }
  }

  #sendKept(downTrack: DownTrack, number: number, now: number): void {
    const packet = this.#replayed;
    if (!this.cache.get(number, packet) || !downTrack.admit(packet, now)) return;
    this.#batch[0] = downTrack;
    this.#host.fanOut(packet, this.#batch, 1);
  }

  #recall(number: number, tap: LayerTap): void {
    const packet = this.#replayed;
    if (!this.cache.get(number, packet)) return;
    const { buffer, timestamp, marker, pictureId, tl0PicIdx, flatLayerOffset } = packet;
    // Whoever was sent the packet last has left its own numbers in it.
    video.rewritePictureId(buffer, packet, pictureId, tl0PicIdx);
    if (flatLayerOffset !== 0) buffer[flatLayerOffset]! |= packet.temporalLayer << 6;
    tap({ buffer, payloadOffset: HEADROOM, payloadEnd: buffer.length, number, timestamp, marker, redundant: false });
  }

  /** Not when all since the last key frame is too much, too old or not kept. */
  #canReplay(now: number): boolean {
    const from = this.#keyFrame;
    if (!from || now - from.at > this.#replay.ageMs) return false;
    return this.#newest - from.number < this.#replay.packets && this.cache.has(from.number);
  }
}

/** TL0PICIDX counts all frames then, as PictureID does: one of 7 bits begins again at another number. */
const canBeFlat = ({ pictureIdBits, tl0PicIdx }: LayerPacket) => pictureIdBits === 15 && tl0PicIdx >= 0;

function removeFrom(list: DownTrack[], downTrack: DownTrack): void {
  const index = list.indexOf(downTrack);
  if (index >= 0) list.splice(index, 1);
}
