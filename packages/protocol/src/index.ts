export * as h264 from './h264/index.ts';
export * as rtcp from './rtcp/index.ts';
export * as rtp from './rtp/index.ts';
export * as sdp from './sdp/index.ts';
export * as vp8 from './vp8/index.ts';
