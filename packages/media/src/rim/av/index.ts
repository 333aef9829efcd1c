export { AacToOpus, type AacToOpusOptions, MAX_AAC_ACCESS_UNIT, type OpusListener } from './aac-to-opus.ts';
export { Fmp4Muxer, type Fmp4Options, VIDEO_TIMESCALE, type VideoSample } from './fmp4.ts';
export { CodecError } from './native.ts';
export {
  AAC_FRAME,
  type AacListener,
  MAX_OPUS_PACKET,
  OpusToAac,
  type OpusToAacOptions,
  WEBRTC_LOOK_AHEAD,
} from './opus-to-aac.ts';
export { fitPicture, MAX_PICTURE, type Size } from './picture-size.ts';
export { type Thumbnail, type ThumbnailOptions, thumbnail } from './thumbnail.ts';
export {
  type H264Listener,
  MAX_DECODED_PIXELS,
  MAX_VIDEO_ACCESS_UNIT,
  type VideoCodec,
  VideoToH264,
  type VideoToH264Options,
} from './video-to-h264.ts';
