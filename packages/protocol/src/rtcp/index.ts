export { nackPairs, nackSequenceNumbers } from './nack.ts';
export { middle32, msFromNtp, ntpFromMs, roundTripMs } from './ntp.ts';
export { parse } from './parse.ts';
export { cnameOf, sourceDescription } from './sdes.ts';
export { DELTA_MS, REFERENCE_MS, transportArrivalTimes } from './transport-feedback.ts';
export { TransportFeedbackBuilder } from './transport-feedback-builder.ts';
export type * from './types.ts';
export { MAX_COUNT, write } from './write.ts';
