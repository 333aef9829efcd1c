import { HEADROOM, type OutgoingPacket } from './rim/transport.ts';

/** A packet of one layer, counted and looked into: what down-tracks decide by. Objects of it are reused. */
export interface LayerPacket extends OutgoingPacket {
  /** Counts the layer's packets in their order, from 0 and beyond 16 bits; a gap is a packet that has not come. */
  number: number;
  /** Of the publisher's RTP clock, 32 bits. */
  timestamp: number;
  /** A decoder can begin here: a key frame starts, or it is audio. */
  startable: boolean;
  startsFrame: boolean;
  /** 0 without temporal layers. */
  temporalLayer: number;
  /** From this frame on higher temporal layers can be decoded. */
  switchingPoint: boolean;
  /** Where in the buffer the newest of several audio encodings begins (RFC 2198); 0 when there is one alone. */
  primaryOffset: number;
  /** -1 without. */
  pictureId: number;
  /** -1 without. */
  tl0PicIdx: number;
}

const EMPTY = Buffer.alloc(HEADROOM);

export function emptyLayerPacket(): LayerPacket {
  return {
    buffer: EMPTY,
    marker: false,
    pictureIdBits: 0,
    pictureIdOffset: 0,
    tl0PicIdxOffset: 0,
    flatLayerOffset: 0,
    number: 0,
    timestamp: 0,
    startable: false,
    startsFrame: false,
    temporalLayer: 0,
    switchingPoint: true,
    primaryOffset: 0,
    pictureId: -1,
    tl0PicIdx: -1,
  };
}
