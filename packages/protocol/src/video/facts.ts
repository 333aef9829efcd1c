/** Facts of one RTP payload of video. The caller reuses the object. */
export interface PayloadFacts {
  /** False when the payload descriptor does not fit; nothing else is meaningful then. */
  valid: boolean;
  /**
   * A frame begins here. VP8: the first partition's start; VP9: the start of the lowest spatial layer's frame; AV1: an OBU that
   * can begin a temporal unit, of the lowest spatial layer. H.264: always false, because the NAL units of one frame may come in any
   * packets; there a new timestamp tells.
   */
  startsFrame: boolean;
  /**
   * A key frame begins here: H.264 IDR slice or SPS; VP8 P bit 0; VP9 no inter-picture prediction; AV1 N bit or sequence header.
   * Several packets of one frame can say true (H.264).
   */
  keyFrame: boolean;
  /**
   * Size of the picture in pixels, cropping applied, in the packets that tell it, else 0: VP8 key frame header; VP9 scalability
   * structure (its largest layer) or key frame header; H.264 SPS; AV1 sequence header.
   */
  width: number;
  height: number;
  /** 0 when there are no temporal layers, -1 when this packet does not tell (the continuation of an AV1 OBU). */
  temporalLayer: number;
  /**
   * The temporal layer of this frame can be added here, having had all lower ones: VP8 Y, VP9 U. True for temporal layer 0; false
   * for the others of AV1, whose payload does not tell.
   */
  switchingPoint: boolean;
  /** No other frame refers to this one: VP8 N, H.264 slices with nal_ref_idc 0. */
  discardable: boolean;
  /** VP9 SID, AV1 spatial_id; 0 without, -1 when this packet does not tell (the continuation of an AV1 OBU). */
  spatialLayer: number;
  /** VP8 and VP9; -1 without. */
  pictureId: number;
  /** 0 without, 7, or 15. */
  pictureIdBits: number;
  /** Offset into the buffer. */
  pictureIdOffset: number;
  /** Index of temporal layer 0's frames, 8 bits (VP8, VP9); -1 without. */
  tl0PicIdx: number;
  /** Offset into the buffer. */
  tl0PicIdxOffset: number;
  /** VP8: offset of the byte whose two highest bits are TID, when the packet has it; else 0. */
  temporalLayerOffset: number;
  /** H.264: a B slice begins here. */
  bFrame: boolean;
  /** First byte behind the payload descriptor (VP8, VP9), behind the aggregation header (AV1), of the payload (H.264). */
  payloadOffset: number;
}

/** Facts to be filled by `inspect`. */
export function emptyFacts(): PayloadFacts {
  return {
    valid: false,
    startsFrame: false,
    keyFrame: false,
    width: 0,
    height: 0,
    temporalLayer: 0,
    switchingPoint: true,
    discardable: false,
    spatialLayer: 0,
    pictureId: -1,
    pictureIdBits: 0,
    pictureIdOffset: 0,
    tl0PicIdx: -1,
    tl0PicIdxOffset: 0,
    temporalLayerOffset: 0,
    bFrame: false,
    payloadOffset: 0,
  };
}

/** Puts every field back to what `emptyFacts` gives. */
export function clearFacts(facts: PayloadFacts): void {
  facts.valid = false;
  facts.startsFrame = false;
  facts.keyFrame = false;
  facts.width = 0;
  facts.height = 0;
  facts.temporalLayer = 0;
  facts.switchingPoint = true;
  facts.discardable = false;
  facts.spatialLayer = 0;
  facts.pictureId = -1;
  facts.pictureIdBits = 0;
  facts.pictureIdOffset = 0;
  facts.tl0PicIdx = -1;
  facts.tl0PicIdxOffset = 0;
  facts.temporalLayerOffset = 0;
  facts.bFrame = false;
  facts.payloadOffset = 0;
}
