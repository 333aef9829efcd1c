/** NAL unit types of H.264 7.4.1 and of its RTP payload format (RFC 6184 5.2). */
export const nalType = {
  slice: 1,
  partitionA: 2,
  idrSlice: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  accessUnitDelimiter: 9,
  stapA: 24,
  fuA: 28,
} as const;

/** Bits of a NAL unit's first byte, `|F|NRI|type (5)|`. */
export const NAL_REF_IDC = 0x60;
export const TYPE = 0x1f;

/** Bits of an FU header, `|S|E|R|type (5)|` (RFC 6184 5.8). */
export const FU_START = 0x80;
export const FU_END = 0x40;

/** True for the NAL units that hold slices: coded slice, its partitions, IDR slice. */
export const isSlice = (type: number) => type >= nalType.slice && type <= nalType.idrSlice;
