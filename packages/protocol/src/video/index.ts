export { FrameAssembler } from './depacketize.ts';
export { type EmitPayload, MAX_PAYLOAD, MIN_PAYLOAD } from './emit.ts';
export { emptyFacts, type PayloadFacts } from './facts.ts';
export { inspect, type VideoCodec } from './inspect.ts';
export { type PictureIdPlace, rewritePictureId } from './picture-id.ts';
