export { parseCandidate, writeCandidate } from './candidate.ts';
export { createMedia, createSession } from './create.ts';
export { parseFmtp, writeFmtp } from './fmtp.ts';
export { limits } from './lines.ts';
export { parse, parseFragment } from './parse.ts';
export { checkIce, checkTransport, type Transport, transportMedia } from './transport.ts';
export type * from './types.ts';
export { write, writeFragment } from './write.ts';
