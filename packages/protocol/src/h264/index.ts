export {
  type AvcDecoderConfiguration,
  MAX_NAL_UNITS,
  parseAvcDecoderConfiguration,
  splitAnnexB,
  splitAvcc,
  writeAnnexB,
  writeAvcc,
  writeAvcDecoderConfiguration,
} from './avc.ts';
export { MAX_ACCESS_UNIT, NalAssembler } from './depacketize.ts';
export { inspect } from './inspect.ts';
export { nalType } from './nal.ts';
export { packetize } from './packetize.ts';
export { sliceType, sliceTypes } from './slice.ts';
export { parseSps, type Sps } from './sps.ts';
