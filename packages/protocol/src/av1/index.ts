export { inspect } from './inspect.ts';
export { type ObuRange, splitTemporalUnit } from './obu.ts';
export { packetize } from './packetize.ts';
