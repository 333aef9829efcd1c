import { rtcp, rtp } from '@footlights/protocol';
import type { Layer } from './layer.ts';
import { emptyLayerPacket, type LayerPacket } from './layer-packet.ts';
import { clockRates } from './negotiate/codecs.ts';
import type { SubscribedTrack } from './negotiate/subscribe.ts';
import { type Destination, HEADROOM, type OutgoingPacket, type RawTransport } from './rim/transport.ts';
import { type SentRange, SentRanges } from './sent-ranges.ts';

const RECENT_RESENDS = 512;
/** How much faster than they were made frames are told that are sent from the cache to begin with. */
const CATCH_UP = 32;
/** Round trip to assume before the first receiver report. */
const DEFAULT_RTT_MS = 100;
/** The packet that is taken from a cache, and its retransmission; used at once and by one track at a time. */
const kept = emptyLayerPacket();
const scratch = Buffer.alloc(65_536);
const retransmission: OutgoingPacket = { ...emptyLayerPacket(), buffer: scratch };

/** What the packet path of a track adds up. */
export interface DownTrackCounters {
  packetsSent: number;
  /** RTP payload without header, as sender reports count it (RFC 3550 section 6.4.1). */
  octetsSent: number;
  retransmissions: number;
  nacksReceived: number;
  plisReceived: number;
  keyFrames: number;
  layerSwitches: number;
  droppedByOverload: number;
  droppedByCongestion: number;
  droppedTemporal: number;
  /** Share of packets lost in the last report, 0 to 1, and all that were ever lost. */
  fractionLost: number;
  packetsLost: number;
  jitterMs: number;
  roundTripMs: number | undefined;
}

/** The path to the subscriber, which all its tracks share. */
export interface Path {
  readonly transport: RawTransport;
  /** False: the packet has to wait; it is sent from the cache when `drain` is called. */
  admits(bytes: number, now: number): boolean;
  /** A packet leaves with a header extension of `extensionBytes`; returns the value of that. */
  leaves(bytes: number, extensionBytes: number, now: number, probe?: number): number;
  /** A retransmission leaves ahead of what waits, which has to wait longer for it. */
  charge(bytes: number, now: number): void;
  send(packet: OutgoingPacket, destination: Destination): void;
  /** Something waits: `drain` is to be called soon and often. */
  congested(downTrack: DownTrack): void;
}

/** One track on its way to one subscriber: which layer it follows, its own numbers, its queue and its retransmissions. */
export class DownTrack implements Destination {
  readonly transport: RawTransport;
  readonly track: SubscribedTrack;
  readonly kind: 'audio' | 'video';
  readonly ssrc: number;
  /** Of the packet at hand: redundant audio has another one. */
  payloadType: number;
  readonly extensionId: number;
  readonly extensionBytes: number;
  extensionValue = 0;
  sequenceNumber = 0;
  timestamp = 0;
  pictureId = 0;
  tl0PicIdx = 0;
  /** Temporal layers above it are not forwarded. */
  wantedTemporalLayer = Number.POSITIVE_INFINITY;
  readonly counters: DownTrackCounters = {
    packetsSent: 0,
    octetsSent: 0,
    retransmissions: 0,
    nacksReceived: 0,
    plisReceived: 0,
    keyFrames: 0,
    layerSwitches: 0,
    droppedByOverload: 0,
    droppedByCongestion: 0,
    droppedTemporal: 0,
    fractionLost: 0,
    packetsLost: 0,
    jitterMs: 0,
    roundTripMs: undefined,
  };
  readonly #path: Path;
  readonly #rtx: RtxDestination | undefined;
  readonly #sent = new SentRanges();
  /** The highest of our own numbers given out, beyond 16 bits, and up to which they have left. */
  #highest: number;
  #left: number;
  #queuedBytes = 0;
  #temporalLayer = Number.POSITIVE_INFINITY;
  #lastTimestamp: number | undefined;
  #lastPictureId = -1;
  #lastTl0PicIdx = -1;
  #lastAdmittedAt = 0;
  #layer: Layer | undefined;
  #waiting = true;
  #paused = false;
  #resends: RecentResends | undefined;

  /** `newSequenceNumber` gives random 16-bit numbers to start with (RFC 3550 section 5.1). */
  constructor(path: Path, track: SubscribedTrack, newSequenceNumber: () => number) {
    this.#path = path;
    this.transport = path.transport;
    this.track = track;
    this.kind = track.kind;
    this.ssrc = track.ssrc;
    this.payloadType = track.payloadType;
    this.extensionId = track.extension?.id ?? 0;
    this.extensionBytes = track.extension?.bytes ?? 0;
    this.#rtx = track.rtx && new RtxDestination(this, track.rtx, newSequenceNumber());
    // Kept above zero, so that the distance to an older number never makes a negative one.
    this.#highest = newSequenceNumber() + 0x10000;
    this.#left = this.#highest;
  }

  /** The layer that is forwarded; undefined before the first packet. */
  get layer(): Layer | undefined {
    return this.#layer;
  }

  /** The highest temporal layer that is forwarded. */
  get temporalLayer(): number {
    return this.#temporalLayer;
  }

  /** True until a packet that the decoder can start with has come. */
  get waiting(): boolean {
    return this.#waiting;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Packets wait for their turn. */
  get isQueued(): boolean {
    return this.#left < this.#highest;
  }

  /** Bytes that wait for their turn. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get takesRedundancy(): boolean {
    return this.track.redPayloadType !== undefined;
  }

  get canProbe(): boolean {
    return this.#rtx !== undefined && this.#layer !== undefined && this.#layer.newest >= 0 && !this.#waiting;
  }

  /** Withholds the track; what follows `resume` starts at a key frame. */
  pause(): void {
    this.#paused = true;
    this.interrupt();
  }

  resume(): void {
    this.#paused = false;
  }

  /** Follows `layer` from its next packet on that a decoder can start with. */
  attach(layer: Layer): void {
    this.#layer = layer;
  }

  /** Follows `layer` from `packet` on, which starts a key frame: our numbers and timestamps go on without a step. */
  begin(layer: Layer, packet: LayerPacket, now: number): void {
    const before = this.#layer;
    if (before !== layer) before?.remove(this);
    if (before && before !== layer) this.counters.layerSwitches += 1;
    this.#layer = layer;
    this.#waiting = false;
    this.#startRange(layer, packet, now);
  }

  /** Decides whether a packet of the layer is sent to this subscriber now, and sets the fields that it will see. */
  admit(packet: LayerPacket, now: number): boolean {
    if (this.#paused) {
      this.counters.droppedByOverload += 1;
      return false;
    }
    if (this.#waiting && !this.#restart(packet, now)) return false;
    const current = this.#sent.current;
    if (!current) return false;
    if (packet.number <= current.last) return this.#admitLate(packet, current, now);
    if (!this.#admitsTemporalLayer(packet)) {
      this.#skip(packet, current);
      return false;
    }
    const isFirst = !this.isQueued;
    current.last = packet.number;
    this.#highest = packet.number + current.shift;
    this.#lastTimestamp = ownTimestamp(packet.timestamp, current);
    this.#lastAdmittedAt = now;
    if (packet.startsFrame) this.#noteFrame(packet, current);
    return this.#sendNow(packet, current, isFirst, now);
  }

  /** Sends what waits for its turn, as much as the path admits; true when nothing is left. */
  drain(now: number): boolean {
    while (this.#left < this.#highest) {
      const own = this.#left + 1;
      const range = this.#sent.ofOwn(own);
      if (range?.layer.cache.get(own - range.shift, kept)) {
        if (!this.#path.admits(kept.buffer.length, now)) return false;
        this.#queuedBytes = Math.max(0, this.#queuedBytes - kept.buffer.length);
        this.#leave(kept, range, now);
        this.#path.send(kept, this);
      }
      this.#left = own;
    }
    this.#queuedBytes = 0;
    return true;
  }

  /** Gives up what waits for its turn: what follows starts at a key frame. */
  dropQueue(): void {
    this.counters.droppedByCongestion += this.#highest - this.#left;
    // Numbers that nobody has seen are given out anew.
    this.#sent.truncate(this.#left);
    this.#highest = this.#left;
    this.#queuedBytes = 0;
    this.interrupt();
  }

  /** What follows starts at a key frame. */
  interrupt(): void {
    this.#waiting = true;
  }

  /** Sends again what the subscriber misses, each packet at most twice a round trip; returns how many were sent. */
  resend(sequenceNumbers: readonly number[], now: number, budget: number): number {
    this.counters.nacksReceived += sequenceNumbers.length;
    this.#resends ??= new RecentResends();
    const pauseMs = (this.counters.roundTripMs ?? DEFAULT_RTT_MS) / 2;
    let sent = 0;
    for (const sequenceNumber of sequenceNumbers) {
      if (sent >= budget) break;
      const own = this.#highest + rtp.sequenceDelta(sequenceNumber, this.#highest & 0xffff);
      if (own > this.#left || !this.#resends.allow(own, now, pauseMs)) continue;
      if (this.#sendAgain(own, now)) sent += 1;
    }
    this.counters.retransmissions += sent;
    return sent;
  }

  /** Sends one of the newest packets once more to fill the path, `back` packets before the newest; returns its bytes, 0 when there is none. */
  probe(back: number, cluster: number, now: number): number {
    return this.#rtx ? this.#sendAgain(this.#left - back, now, cluster) : 0;
  }

  /** Takes in what the subscriber reports about this track. */
  report(block: rtcp.ReportBlock, now: number): void {
    this.counters.fractionLost = block.fractionLost / 256;
    this.counters.packetsLost = Math.max(0, block.cumulativeLost);
    this.counters.jitterMs = this.#layer ? (block.jitter * 1_000) / clockRates[this.#layer.codec] : 0;
    this.counters.roundTripMs = rtcp.roundTripMs(block, now) ?? this.counters.roundTripMs;
  }

  /** The sender report for `now`; undefined before the first packet and before the publisher's own. */
  senderReport(now: number): rtcp.SenderReport | undefined {
    const timestamp = this.#layer?.clock.timestampAt(now);
    const current = this.#sent.current;
    if (timestamp === undefined || !current || this.#lastTimestamp === undefined) return undefined;
    const { packetsSent, octetsSent } = this.counters;
    return {
      type: 'sr',
      ssrc: this.ssrc,
      ntp: rtcp.ntpFromMs(now),
      rtpTimestamp: (timestamp + current.timestampShift) >>> 0,
      packetCount: packetsSent >>> 0,
      octetCount: octetsSent >>> 0,
      reports: [],
    };
  }

  /** After an interruption: the layer's next key frame begins anew. */
  #restart(packet: LayerPacket, now: number): boolean {
    if (!packet.startable || !this.#layer) return false;
    this.begin(this.#layer, packet, now);
    return true;
  }

  #startRange(layer: Layer, packet: LayerPacket, now: number): void {
    const before = this.#sent.current;
    const same = before?.layer === layer;
    this.#sent.add({
      layer,
      first: packet.number,
      last: packet.number - 1,
      shift: this.#highest + 1 - packet.number,
      timestampShift:
        before && !same ? this.#timestampShift(before, layer, packet, now) : (before?.timestampShift ?? 0),
      caughtUpAt: layer.newestTimestamp,
      pictureIdShift: this.#lastPictureId < 0 ? 0 : this.#lastPictureId + 1 - packet.pictureId,
      tl0PicIdxShift: this.#lastTl0PicIdx < 0 ? 0 : this.#lastTl0PicIdx + 1 - packet.tl0PicIdx,
    });
    this.#temporalLayer = this.wantedTemporalLayer;
    this.counters.keyFrames += 1;
  }

  /** Makes the timestamps of another layer follow ours by as much time as has passed between the two frames. */
  #timestampShift(
    { layer: before, timestampShift }: SentRange,
    layer: Layer,
    packet: LayerPacket,
    now: number,
  ): number {
    const last = this.#lastTimestamp ?? packet.timestamp;
    const from = before.clock.timeOf((last - timestampShift) >>> 0);
    const to = layer.clock.timeOf(packet.timestamp);
    const elapsedMs = from !== undefined && to !== undefined ? to - from : now - this.#lastAdmittedAt;
    // A frame of the same instant is sent twice, in two sizes: decoders want rising timestamps all the same.
    const elapsed = Math.max(1, Math.round((elapsedMs * clockRates[layer.codec]) / 1_000));
    return (last + elapsed - packet.timestamp) | 0;
  }

  #admitsTemporalLayer(packet: LayerPacket): boolean {
    const { temporalLayer } = packet;
    if (packet.startsFrame && this.wantedTemporalLayer < this.#temporalLayer)
      this.#temporalLayer = this.wantedTemporalLayer;
    else if (packet.startsFrame && this.wantedTemporalLayer > this.#temporalLayer) this.#raiseTemporalLayer(packet);
    return temporalLayer <= this.#temporalLayer;
  }

  /** One more temporal layer can be decoded from a frame on that refers to none of the layers left out. */
  #raiseTemporalLayer({ temporalLayer, switchingPoint }: LayerPacket): void {
    const layer = this.#layer;
    if (!layer || temporalLayer > this.wantedTemporalLayer) return;
    // The payload of AV1 does not tell such frames; those of its lowest layer are.
    const raised = layer.codec === 'AV1' ? temporalLayer === 0 : temporalLayer > this.#temporalLayer && switchingPoint;
    if (!raised) return;
    const isLast = layer.codec === 'AV1' || temporalLayer >= layer.meter.highestTemporalLayer;
    this.#temporalLayer = isLast ? this.wantedTemporalLayer : temporalLayer;
  }

  /** Leaves a packet of a higher temporal layer out, so that no gap shows: what came before keeps its shift. */
  #skip(packet: LayerPacket, current: SentRange): void {
    this.counters.droppedTemporal += 1;
    const empty = current.last < current.first;
    // Packets that are missing before it keep their numbers, should they come late.
    if (packet.number - 1 > current.last && !empty) {
      const isFirst = !this.isQueued;
      current.last = packet.number - 1;
      this.#highest = current.last + current.shift;
      if (isFirst) this.#left = this.#highest;
    }
    const renumbered = packet.startsFrame && current.layer.codec === 'VP8' && packet.pictureId >= 0 ? 1 : 0;
    this.#sent.add({
      ...current,
      first: packet.number + 1,
      last: packet.number,
      shift: this.#highest - packet.number,
      pictureIdShift: current.pictureIdShift - renumbered,
    });
  }

  #noteFrame(packet: LayerPacket, range: SentRange): void {
    if (packet.pictureId >= 0) this.#lastPictureId = packet.pictureId + range.pictureIdShift;
    if (packet.tl0PicIdx >= 0) this.#lastTl0PicIdx = packet.tl0PicIdx + range.tl0PicIdxShift;
  }

  #admitLate(packet: LayerPacket, current: SentRange, now: number): boolean {
    const range = packet.number >= current.first ? current : this.#sent.ofNumber(current.layer, packet.number);
    // What still waits is sent from the cache in its turn, and this packet is there now.
    if (!range || packet.number + range.shift > this.#left) return false;
    this.#leave(packet, range, now);
    return true;
  }

  #sendNow(packet: LayerPacket, range: SentRange, isFirst: boolean, now: number): boolean {
    if (this.kind === 'video' && !(isFirst && this.#path.admits(packet.buffer.length, now))) {
      this.#queuedBytes += packet.buffer.length;
      if (isFirst) this.#left = this.#highest - 1;
      this.#path.congested(this);
      return false;
    }
    this.#left = this.#highest;
    this.#leave(packet, range, now);
    return true;
  }

  /** Sets the fields of a packet that leaves for the first time, and counts it. */
  #leave(packet: LayerPacket, range: SentRange, now: number): void {
    this.#setFields(packet, range);
    this.extensionValue = this.#path.leaves(packet.buffer.length, this.extensionBytes, now);
    this.counters.packetsSent += 1;
    this.counters.octetsSent += packet.buffer.length - HEADROOM;
  }

  #setFields(packet: LayerPacket, range: SentRange): void {
    const { payloadType, redPayloadType = payloadType } = this.track;
    this.payloadType = packet.primaryOffset > 0 ? redPayloadType : payloadType;
    this.sequenceNumber = (packet.number + range.shift) & 0xffff;
    this.timestamp = ownTimestamp(packet.timestamp, range);
    this.pictureId = (packet.pictureId + range.pictureIdShift) & 0x7fff;
    // Viewers are not told of VP8's temporal layers. Chromium would give up frames of the higher ones whose retransmission is on its way, as soon as a later frame
    // of the lowest has come: with 5 % loss a seventh of all. Told that each refers to the one before, it waits for them, as it does with other codecs.
    const isFlat = packet.flatLayerOffset !== 0;
    this.tl0PicIdx = (isFlat ? this.pictureId : packet.tl0PicIdx + range.tl0PicIdxShift) & 0xff;
  }

  /** Returns the bytes that were sent, 0 for none. */
  #sendAgain(own: number, now: number, probe?: number): number {
    const range = this.#sent.ofOwn(own);
    if (!range?.layer.cache.get(own - range.shift, kept)) return 0;
    this.#setFields(kept, range);
    const packet = this.#rtx ? this.#rtx.wrap(kept) : kept;
    const destination = this.#rtx ?? this;
    destination.extensionValue = this.#path.leaves(packet.buffer.length, this.extensionBytes, now, probe);
    if (probe === undefined) this.#path.charge(packet.buffer.length, now);
    this.#path.send(packet, destination);
    return packet.buffer.length;
  }
}

/**
 * What a subscriber is told of a layer's timestamp. Frames from before the range began are told as if they had followed each other
 * quickly and up to that moment: played as they were made, they would hold all that follows back.
 */
function ownTimestamp(timestamp: number, { caughtUpAt, timestampShift }: SentRange): number {
  const behind = (caughtUpAt - timestamp) | 0;
  const told = behind > 0 ? caughtUpAt - Math.ceil(behind / CATCH_UP) : timestamp;
  return (told + timestampShift) >>> 0;
}

/** The retransmissions of a track: a stream of its own (RFC 4588 section 4). */
class RtxDestination implements Destination {
  readonly transport: RawTransport;
  readonly payloadType: number;
  readonly ssrc: number;
  readonly extensionId: number;
  readonly extensionBytes: number;
  extensionValue = 0;
  sequenceNumber: number;
  timestamp = 0;
  pictureId = 0;
  tl0PicIdx = 0;
  readonly #original: DownTrack;

  constructor(original: DownTrack, rtx: { payloadType: number; ssrc: number }, sequenceNumber: number) {
    this.#original = original;
    this.transport = original.transport;
    this.payloadType = rtx.payloadType;
    this.ssrc = rtx.ssrc;
    this.extensionId = original.extensionId;
    this.extensionBytes = original.extensionBytes;
    this.sequenceNumber = sequenceNumber;
  }

  /** The next retransmission: the packet whose fields the original has now, behind its sequence number. Good until the next one. */
  wrap({
    buffer,
    marker,
    pictureIdBits,
    pictureIdOffset,
    tl0PicIdxOffset,
    flatLayerOffset,
  }: LayerPacket): OutgoingPacket {
    const { sequenceNumber, timestamp, pictureId, tl0PicIdx } = this.#original;
    this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
    this.timestamp = timestamp;
    this.pictureId = pictureId;
    this.tl0PicIdx = tl0PicIdx;
    scratch.writeUInt16BE(sequenceNumber, HEADROOM);
    buffer.copy(scratch, HEADROOM + rtp.rtx.OSN_LENGTH, HEADROOM);
    retransmission.buffer = scratch.subarray(0, buffer.length + rtp.rtx.OSN_LENGTH);
    retransmission.marker = marker;
    retransmission.pictureIdBits = pictureIdBits;
    retransmission.pictureIdOffset = pictureIdOffset + rtp.rtx.OSN_LENGTH;
    retransmission.tl0PicIdxOffset = tl0PicIdxOffset === 0 ? 0 : tl0PicIdxOffset + rtp.rtx.OSN_LENGTH;
    retransmission.flatLayerOffset = flatLayerOffset === 0 ? 0 : flatLayerOffset + rtp.rtx.OSN_LENGTH;
    return retransmission;
  }
}

/** When packets were last sent again, by number: a fixed table in which new entries push out old ones. */
class RecentResends {
  /** Most subscribers never ask for one. */
  #table: { numbers: Float64Array; times: Float64Array } | undefined;

  /** False when the packet was sent again less than `pauseMs` ago; else notes it. */
  allow(number: number, now: number, pauseMs: number): boolean {
    this.#table ??= {
      numbers: new Float64Array(RECENT_RESENDS).fill(-1),
      times: new Float64Array(RECENT_RESENDS),
    };
    const { numbers, times } = this.#table;
    const slot = number % RECENT_RESENDS;
    if (numbers[slot] === number && now - (times[slot] ?? 0) < pauseMs) return false;
    numbers[slot] = number;
    times[slot] = now;
    return true;
  }
}
