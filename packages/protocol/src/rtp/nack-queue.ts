import { sequenceDelta } from './sequence.ts';

/** Bounds of a `NackQueue`; the defaults suit interactive video. */
export interface NackQueueOptions {
  /** Missing packets remembered at once; also the largest jump that counts as loss. Default 1000. */
  maxEntries?: number;
  /** Requests for one packet before it is given up. Default 10. */
  maxTries?: number;
  /** Milliseconds after its first request at which a packet is given up. Default 1500. */
  maxAgeMs?: number;
}

interface MissingPacket {
  tries: number;
  firstRequestMs: number;
  lastRequestMs: number;
}

/** A request is not repeated sooner than this, however short the round trip is. */
const MIN_RETRY_MS = 20;

/** What a receiver asks for again (RFC 4585 6.2.1): gaps go in, sequence numbers to NACK come out. */
export class NackQueue {
  private readonly maxEntries: number;
  private readonly maxTries: number;
  private readonly maxAgeMs: number;
  /** By extended sequence number; insertion order is sequence order. */
  private readonly missing = new Map<number, MissingPacket>();
  /** Extended; undefined before the first packet. */
  private highest: number | undefined;
  private restartAt = -1;
  private abandoned = 0;

  constructor(options: NackQueueOptions = {}) {
    this.maxEntries = options.maxEntries ?? 1000;
    this.maxTries = options.maxTries ?? 10;
    this.maxAgeMs = options.maxAgeMs ?? 1500;
  }

  /** Missing packets still hoped for. */
  get size(): number {
    return this.missing.size;
  }

  /** Packets given up since the start; when it rises, only a key frame helps. */
  get givenUp(): number {
    return this.abandoned;
  }

  /** Takes in a sequence number; true when the packet is new, false for a duplicate or one too late to matter. */
  received(sequenceNumber: number): boolean {
    if (this.highest === undefined) return this.restart(sequenceNumber);
    const delta = sequenceDelta(sequenceNumber, this.highest & 0xffff);
    if (delta > this.maxEntries) return this.restart(sequenceNumber);
    if (delta < -this.maxEntries) return this.receivedFarBehind(sequenceNumber);
    this.restartAt = -1;
    const extended = this.highest + delta;
    if (delta <= 0) return this.missing.delete(extended);
    for (let lost = this.highest + 1; lost < extended; lost++) this.add(lost);
    this.highest = extended;
    return true;
  }

  /** One packet from far behind is a straggler; two in a row are a sender that has started again (RFC 3550 A.1). */
  private receivedFarBehind(sequenceNumber: number): boolean {
    if (sequenceNumber === this.restartAt) return this.restart(sequenceNumber);
    this.restartAt = (sequenceNumber + 1) & 0xffff;
    return false;
  }

  private restart(sequenceNumber: number): true {
    this.abandoned += this.missing.size;
    this.missing.clear();
    this.highest = sequenceNumber;
    this.restartAt = -1;
    return true;
  }

  private add(extended: number): void {
    if (this.missing.size >= this.maxEntries) {
      for (const oldest of this.missing.keys()) {
        this.giveUp(oldest);
        break;
      }
    }
    this.missing.set(extended, { tries: 0, firstRequestMs: 0, lastRequestMs: 0 });
  }

  private giveUp(extended: number): void {
    this.missing.delete(extended);
    this.abandoned++;
  }

  /** Sequence numbers to NACK now, oldest first; each is repeated after a round trip until it comes or is given up. */
  due(nowMs: number, rttMs: number): number[] {
    const retryMs = Math.max(MIN_RETRY_MS, rttMs);
    const result: number[] = [];
    for (const [extended, packet] of this.missing) {
      if (packet.tries > 0 && nowMs - packet.lastRequestMs < retryMs) continue;
      if (packet.tries >= this.maxTries || (packet.tries > 0 && nowMs - packet.firstRequestMs > this.maxAgeMs)) {
        this.giveUp(extended);
        continue;
      }
      if (packet.tries === 0) packet.firstRequestMs = nowMs;
      packet.tries++;
      packet.lastRequestMs = nowMs;
      result.push(extended & 0xffff);
    }
    return result;
  }
}
