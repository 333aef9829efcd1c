export { inspect } from './inspect.ts';
export { packetize } from './packetize.ts';
